//! How a wait ends without a callback.

use crate::*;

over_every_driver! {
    a_cancelled_wait_ends_promptly_and_frees_the_port,
    giving_up_frees_the_port,
}

fn a_cancelled_wait_ends_promptly_and_frees_the_port(driver: &dyn Driver) {
    let listener = Listener::bind(&Address::new()).unwrap();
    let cancel = listener.cancel_handle();
    let running = driver.start(listener, judge, quick());
    let _silent = running.tab();
    let port = running.port;
    let began = Instant::now();
    cancel.cancel();
    assert!(matches!(running.end(), Err(ReceiveError::Cancelled)));
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
    assert!(is_free(port));

    // The grace ends with it as well.
    let listener = Listener::bind(&Address::new()).unwrap();
    let cancel = listener.cancel_handle();
    let running = driver.start(listener, judge, quick().grace(LONG));
    let tab = running.ask("/callback?state=s&code=c");
    let delivery = running.callback().reply.success();
    drop(tab.page());
    delivery.wait();
    cancel.cancel();
    assert!(becomes_free(running.port));
}

fn giving_up_frees_the_port(driver: &dyn Driver) {
    let listener = Listener::bind(&Address::new()).unwrap();
    let port = listener.port();
    if driver.give_up(listener, judge, quick()) {
        assert!(is_free(port));
    }
    let unused = Listener::bind(&Address::new()).unwrap();
    let port = unused.port();
    drop(unused);
    assert!(is_free(port));
}
