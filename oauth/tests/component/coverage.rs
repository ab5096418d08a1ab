//! The page of what becomes of each of the component's names on each engine. `COVERAGE=write cargo test -p oauth --features
//! component,isahc,http2,negotiate,ntlm --test component coverage` writes it.
