use super::{Conversation, Limits, Next};
use crate::request::Refusal;
use crate::wire::Protocol;
use std::time::{Duration, Instant};

const MS: Duration = Duration::from_millis(1);

fn begin() -> (Conversation, Instant) {
    let now = Instant::now();
    let limits = Limits { head: 5000 * MS, hold: 5000 * MS, drain: 500 * MS };
    (Conversation::new(&Protocol::Http, limits, now), now)
}

#[test]
fn lb_03_a_silent_connection_is_closed_without_a_word() {
    let (mut conversation, start) = begin();
    assert!(matches!(conversation.poll(start + 4999 * MS), Next::Read));
    assert_eq!(conversation.deadline(), Some(start + 5000 * MS));
    assert!(matches!(conversation.poll(start + 5000 * MS), Next::Close));
}

#[test]
fn lb_03_dripping_bytes_buy_no_time() {
    let (mut conversation, start) = begin();
    for second in 1..5 {
        conversation.handle(b"G", start + second * 1000 * MS);
    }
    assert_eq!(conversation.deadline(), Some(start + 5000 * MS));
    let Next::Decide(Err(refusal)) = conversation.poll(start + 5000 * MS) else { panic!("it goes on") };
    assert_eq!(refusal, Refusal::TooSlow);
}

#[test]
fn lb_03_a_body_has_its_own_time() {
    let (mut conversation, start) = begin();
    let head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n";
    conversation.handle(head, start + 4000 * MS);
    assert_eq!(conversation.deadline(), Some(start + 9000 * MS));
    conversation.handle(b"a", start + 8000 * MS);
    assert_eq!(conversation.deadline(), Some(start + 9000 * MS));
    assert!(matches!(conversation.poll(start + 9000 * MS), Next::Decide(Err(Refusal::TooSlow))));
}

#[test]
fn lb_18_written_then_half_closed_then_drained() {
    let (mut conversation, now) = begin();
    conversation.handle(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", now);
    assert!(matches!(conversation.poll(now), Next::Decide(Ok(_))));
    conversation.answer(b"answer".to_vec(), now);
    assert!(matches!(conversation.poll(now), Next::Write(b"answer")));
    conversation.handle_written(4);
    assert!(matches!(conversation.poll(now), Next::Write(b"er")));
    conversation.handle_written(2);
    assert!(matches!(conversation.poll(now), Next::HalfClose));
    conversation.handle_half_closed(now);
    assert!(matches!(conversation.poll(now), Next::Read));
    conversation.handle(b"the rest of what was sent", now + 400 * MS);
    assert!(matches!(conversation.poll(now + 499 * MS), Next::Read));
    assert!(matches!(conversation.poll(now + 500 * MS), Next::Close));
    conversation.handle(b"", now + 499 * MS);
    assert!(matches!(conversation.poll(now + 499 * MS), Next::Close));
}

#[test]
fn lb_20_a_held_browser_is_answered_in_time() {
    let (mut conversation, now) = begin();
    conversation.hold(now);
    assert!(conversation.is_held() && matches!(conversation.poll(now + 4999 * MS), Next::Hold));
    assert!(matches!(conversation.poll(now + 5000 * MS), Next::HeldTooLong));
    conversation.answer(b"x".to_vec(), now + 5000 * MS);
    assert!(!conversation.is_held());
    assert!(matches!(conversation.poll(now + 10_000 * MS), Next::Close), "a peer that takes nothing is left");
}

#[test]
fn a_held_browser_hears_the_end_of_its_handshake() {
    let (mut conversation, now) = begin();
    conversation.pending = b"finished".to_vec();
    conversation.hold(now);
    assert!(matches!(conversation.poll(now), Next::Write(b"finished")));
    conversation.handle_written(3);
    assert!(matches!(conversation.poll(now), Next::Write(b"ished")));
    conversation.answer(b" page".to_vec(), now);
    assert!(matches!(conversation.poll(now), Next::Write(b"ished page")), "in this order");
    conversation.handle_written(10);
    assert!(matches!(conversation.poll(now), Next::HalfClose));
}
