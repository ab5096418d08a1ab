// An authorization server that nobody here wrote, with the least around it that makes it run without a person.
//
//   node server.mjs FOLDER [PORT]
//
// FOLDER holds server.pem and server.key, and the private keys of the service accounts. It prints one line of JSON with its issuer as soon as it answers. It ends
// when its standard input does, so that it cannot outlive whoever started it, and takes FOLDER with it.
import { createPublicKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import { jwtVerify } from 'jose';

// The library warns of its development defaults (this Node, the store in memory): right for production, noise here.
console.info = console.warn = () => {};
const { default: Provider, errors } = await import('oidc-provider');

const [folder, port = '0'] = process.argv.slice(2);
process.stdin.resume().on('end', () => {
  rmSync(folder, { recursive: true, force: true });
  process.exit();
});

const secret = 'a secret for tests';
const longSecret = 'a secret for tests, as long as the hash of its MAC is';
const publicKey = (alg) => createPublicKey(readFileSync(`${folder}/service-${alg}.pem`));
const confidential = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] };
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const clientCertificate = new X509Certificate(readFileSync(`${folder}/client.pem`));
const clients = [
  {
    client_id: 'native',
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    // RFC 8252 section 7.3: any port of these.
    redirect_uris: ['http://127.0.0.1/callback', 'http://[::1]/callback'],
  },
  {
    client_id: 'site',
    client_secret: secret,
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: ['https://site.example/callback'],
  },
  { ...confidential, client_id: 'basic', client_secret: secret, token_endpoint_auth_method: 'client_secret_basic' },
  { ...confidential, client_id: 'post', client_secret: secret, token_endpoint_auth_method: 'client_secret_post' },
  // RFC 6749 section 2.3.1: only a client that form-encodes both first gets in with these.
  // OpenID Connect Core section 9: who signs an assertion for each request.
  ...['ES256', 'RS256'].map((alg) => ({
    ...confidential,
    client_id: `signs-${alg}`,
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: alg,
    grant_types: ['client_credentials', 'urn:ietf:params:oauth:grant-type:device_code'],
    jwks: { keys: [{ ...publicKey(alg).export({ format: 'jwk' }), alg, use: 'sig' }] },
  })),
  {
    ...confidential,
    client_id: 'macs',
    client_secret: longSecret,
    token_endpoint_auth_method: 'client_secret_jwt',
    token_endpoint_auth_signing_alg: 'HS256',
  },
  // RFC 8705 section 2.2: whoever connects with this certificate.
  {
    ...confidential,
    client_id: 'certificate',
    token_endpoint_auth_method: 'self_signed_tls_client_auth',
    jwks: {
      keys: [{ ...clientCertificate.publicKey.export({ format: 'jwk' }), x5c: [clientCertificate.raw.toString('base64')] }],
    },
    tls_client_certificate_bound_access_tokens: true,
  },
  // RFC 7523 section 2.1: whoever holds the key of this name signs.
  ...['ES256', 'RS256'].map((alg) => ({
    ...confidential,
    client_id: `service-${alg}`,
    token_endpoint_auth_method: 'none',
    grant_types: [jwtBearer],
  })),
  {
    ...confidential,
    client_id: 'we:ird id%2B+',
    client_secret: 'p+a:s s%41/=&~"\\',
    token_endpoint_auth_method: 'client_secret_basic',
  },
];

const serviceKeys = new Map(['ES256', 'RS256'].map((alg) => [`service-${alg}`, publicKey(alg)]));
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

function provider(issuer) {
  const provider = new Provider(issuer, {
    clients,
    clientAuthMethods: [
      'client_secret_basic',
      'client_secret_post',
      'client_secret_jwt',
      'private_key_jwt',
      'self_signed_tls_client_auth',
      'none',
    ],
    clientDefaults: { id_token_signed_response_alg: 'ES256', introspection_signed_response_alg: 'ES256' },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      deviceFlow: { enabled: true },
      introspection: { enabled: true },
      jwtIntrospection: { enabled: true },
      registration: { enabled: true },
      registrationManagement: { enabled: true },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        selfSignedTlsClientAuth: true,
        getCertificate: (ctx) => ctx.req.socket.getPeerX509Certificate(),
      },
      revocation: { enabled: true },
    },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { url: (_, interaction) => `/person/${interaction.uid}` },
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig' }] },
    scopes: ['openid', 'offline_access', 'jobs'],
  });
  provider.registerGrantType(jwtBearer, (ctx) => assertion(provider, ctx), ['assertion', 'scope']);
  provider.on('server_error', (_, error) => console.error(error));
  provider.use(async (ctx, next) => {
    if (ctx.path.startsWith('/person/')) {
      await decide(provider, ctx);
      return;
    }
    await next();
    if (ctx.oidc?.route === 'device_authorization' && ctx.status === 200) {
      // RFC 8628 section 3.2: without this a client waits five seconds between two questions.
      ctx.body.interval = 1;
    }
  });
  return provider;
}

// The library leaves this grant to its host; who judges the assertion is `jose`.
async function assertion(provider, ctx) {
  const { client, params } = ctx.oidc;
  const rules = {
    audience: provider.issuer,
    issuer: client.clientId,
    algorithms: [client.clientId.slice('service-'.length)],
    maxTokenAge: '1 minute',
    requiredClaims: ['exp', 'jti', 'sub'],
    typ: 'JWT',
  };
  try {
    const { payload } = await jwtVerify(params.assertion, serviceKeys.get(client.clientId), rules);
    const grant = new provider.Grant({ accountId: payload.sub, clientId: client.clientId });
    grant.addOIDCScope(params.scope);
    const grantId = await grant.save();
    const token = new provider.AccessToken({ accountId: payload.sub, client, grantId, gty: 'jwt', scope: params.scope });
    const access_token = await token.save();
    ctx.body = { access_token, expires_in: token.expiration, scope: token.scope, token_type: token.tokenType };
  } catch (error) {
    throw new errors.InvalidGrant(`the assertion is refused: ${error.message}`);
  }
}

// The login page of a person who is signed in and agrees at once: alice, or whom login_hint names. `deny` refuses.
async function decide(provider, ctx) {
  const { params } = await provider.interactionDetails(ctx.req, ctx.res);
  const accountId = params.login_hint ?? 'alice';
  let result = { error: 'access_denied', error_description: 'The person said no' };
  if (accountId !== 'deny') {
    const grant = new provider.Grant({ accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    result = { login: { accountId }, consent: { grantId: await grant.save() } };
  }
  ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, result));
}

const server = createServer({
  cert: readFileSync(`${folder}/server.pem`),
  key: readFileSync(`${folder}/server.key`),
  // Whoever has a certificate may show it; whether it is the right one is for the client's registration to say.
  requestCert: true,
  rejectUnauthorized: false,
});
server.listen(Number(port), '127.0.0.1', () => {
  // The certificate is good for localhost as well: the issuer is one name of the two, and only that one is right.
  const issuer = `https://127.0.0.1:${server.address().port}`;
  server.on('request', provider(issuer).callback());
  console.log(JSON.stringify({ issuer }));
});
