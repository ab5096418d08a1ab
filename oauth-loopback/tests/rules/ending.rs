//! How a wait ends without a callback.

use crate::*;

over_every_driver! {
    a_cancelled_wait_ends_promptly_and_frees_the_port,
    giving_up_frees_the_port,
    lb_29_a_timeout_names_the_button_that_does_nothing,
    lb_29_a_timeout_after_an_https_upgrade_says_so,
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
    if driver.give_up(listener, Box::new(judge), quick()) {
        assert!(is_free(port));
    }
    let unused = Listener::bind(&Address::new()).unwrap();
    let port = unused.port();
    drop(unused);
    assert!(is_free(port));
}

fn lb_29_a_timeout_names_the_button_that_does_nothing(driver: &dyn Driver) {
    let error = start(driver, quick().timeout(Duration::ZERO)).end().unwrap_err();
    assert!(matches!(error, ReceiveError::TimedOut) && error.is_timeout());
    let shown = error.to_string();
    assert!(shown.contains("form-action") && shown.contains("does nothing"), "{shown}");
    assert!(!shown.contains("https"), "nobody asked for it: {shown}");
}

fn lb_29_a_timeout_after_an_https_upgrade_says_so(driver: &dyn Driver) {
    let running = start(driver, quick().timeout(Duration::from_millis(300)));
    let mut upgraded = running.tab();
    upgraded.send("\u{16}\u{3}\u{1}");
    let error = running.end().unwrap_err();
    assert!(matches!(error, ReceiveError::TimedOutAfterHttps) && error.is_timeout());
    assert!(error.to_string().contains("https") && error.to_string().contains("127.0.0.1"), "{error}");
}
