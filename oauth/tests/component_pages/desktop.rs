{
    oauth.set_client_id("my-app");
    oauth.set_client_secret("its secret");
    oauth.set_server_auth_url("https://accounts.google.com/o/oauth2/auth");
    oauth.set_server_token_url("https://accounts.google.com/o/oauth2/token");
    oauth.set_authorization_scope("email profile");
}
