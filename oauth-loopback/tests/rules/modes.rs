//! The ways in which a response comes.

use crate::*;

over_every_driver! {
    lb_14_form_post,
}

fn lb_14_form_post(driver: &dyn Driver) {
    let running = start(driver, quick().form_post());
    for (expected, content_type) in [(415, "text/plain"), (415, "multipart/form-data; boundary=x")] {
        let mut post = running.tab();
        post.send(&form(&running, content_type, "state=s&code=c"));
        assert_eq!(post.page().status, expected, "{content_type}");
    }
    let mut post = running.tab();
    post.send(&form(&running, FORM, "state=s&code=c"));
    let callback = running.callback();
    assert!(matches!(callback.response.as_response(), AuthorizationResponse::Form(b"state=s&code=c")));
    drop(callback.reply.success());
    assert_eq!(post.page().status, 200);
}
