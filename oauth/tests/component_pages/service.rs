{
    oauth.set_client_profile(ClientProfile::Jwt);
    oauth.set_authorization_scope("https://www.googleapis.com/auth/analytics");
    oauth.set_server_token_url("https://www.googleapis.com/oauth2/v3/token");
    oauth.config("JWTIssuer=service@project.iam.gserviceaccount.com")?;
    oauth.config("JWTAudience=https://www.googleapis.com/oauth2/v3/token")?;
    oauth.config("JWTCertStoreType=2")?; // a PFX file
    oauth.config("JWTCertStore=service.p12")?;
    oauth.config("JWTCertStorePassword=its password")?;
    oauth.config("JWTCertSubject=*")?;
    oauth.config("JWTValidityTime=3600")?; // seconds
}
