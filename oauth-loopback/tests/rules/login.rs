//! A login of the core, for what only the two of them show together.

use oauth_core::{
    AuthorizationRequest, AuthorizationResponse, Client, Flow as _, Mono, Now, Output, Pending, Policy,
    Recognised, Registration, Seed, Server, ServerMemory, Unix,
};

const NOW: Now = Now { mono: Mono::from_nanos(0), unix: Unix(1_700_000_000) };

pub(crate) struct Login {
    client: Client,
    memory: ServerMemory,
    pub(crate) pending: Pending,
}

impl Login {
    /// At a server that says `iss` in its responses (RFC 9207).
    pub(crate) fn begin() -> Self {
        let server = Server::new("https://as.example")
            .with_authorization_endpoint("https://as.example/authorize")
            .with_token_endpoint("https://as.example/token")
            .with_iss_in_responses();
        let client = Client::new(server, Registration::public("c1"), Policy::strict()).unwrap();
        let memory = ServerMemory::default();
        let request = AuthorizationRequest::new("http://127.0.0.1/callback");
        let mut flow = client.authorize(&request, &memory, Seed::new([7; Seed::LENGTH])).unwrap();
        let Output::Done(Ok(ready)) = flow.poll(NOW) else { panic!("nothing is needed to be ready") };
        Self { client, memory, pending: ready.pending }
    }

    pub(crate) fn judge(&self) -> impl FnMut(&AuthorizationResponse<'_>) -> Recognised + Send + 'static {
        let recogniser = self.pending.recogniser();
        move |response| recogniser.recognise(response)
    }

    /// Up to the token request, or why there is none.
    pub(crate) fn redeem(self, response: &AuthorizationResponse<'_>) -> Result<(), String> {
        let seed = Seed::new([8; Seed::LENGTH]);
        match self.pending.redeem(response, &self.client, &self.memory, seed).poll(NOW) {
            Output::Send(_) => Ok(()),
            Output::Done(Err(failure)) => Err(failure.to_string()),
            output => panic!("{output:?}"),
        }
    }
}
