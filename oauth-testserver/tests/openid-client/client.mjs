// An independent client goes through every grant. The other end of stdin and stdout is its person and its browser: each
// line written asks for something, and the next line read is the answer.
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import * as client from 'openid-client';

const issuer = new URL(process.argv[2]);
const redirect_uri = 'http://127.0.0.1:8400/callback';
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function ask(what, ...details) {
  process.stdout.write(`${[what, ...details].join(' ')}\n`);
  const { value, done } = await lines.next();
  assert(!done, 'the other end is gone');
  return value;
}

// Without the second of these the signature of an ID token from the token endpoint would not be checked.
const execute = [client.allowInsecureRequests, client.enableNonRepudiationChecks];
const discover = (id, authentication, options = {}) =>
  client.discovery(issuer, id, { id_token_signed_response_alg: 'EdDSA' }, authentication, { execute, ...options });

async function signIn(config, parameters = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const expectedState = client.randomState();
  const expectedNonce = client.randomNonce();
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri,
    scope: 'openid profile offline_access',
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
    ...parameters,
  });
  const landed = new URL(await ask('sign_in', url.href));
  return client.authorizationCodeGrant(config, landed, {
    pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true,
  });
}

const refused = (promise, error) =>
  assert.rejects(promise, (thrown) => thrown.error === error || assert.fail(thrown));

const config = await discover('demo', client.None());
for (const algorithm of ['oidc', 'oauth2']) {
  const { code_challenge_methods_supported } =
    (await discover('demo', client.None(), { algorithm })).serverMetadata();
  assert.deepEqual(code_challenge_methods_supported, ['S256']);
}

const tokens = await signIn(config);
assert.equal(tokens.claims().sub, 'demo-ada');
assert.equal(tokens.scope, 'openid profile offline_access');
const userinfo = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
assert.equal(userinfo.name, 'Ada Lovelace');
await ask('did', 'code');

const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token);
assert.equal(refreshed.claims().sub, 'demo-ada');
assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
await refused(client.refreshTokenGrant(config, tokens.refresh_token), 'invalid_grant');
await refused(client.refreshTokenGrant(config, refreshed.refresh_token), 'invalid_grant');
await ask('did', 'refresh');

for (const [id, authentication] of [
  ['demo-basic', client.ClientSecretBasic('demo-basic-secret')],
  ['demo-post', client.ClientSecretPost('demo-post-secret')],
  ['odd id:', client.ClientSecretBasic('s%+ \u00e9:&~!*')],
]) {
  const own = await client.clientCredentialsGrant(await discover(id, authentication), { scope: 'write' });
  assert.equal(own.scope, 'write');
  const code = await signIn(await discover(id, authentication));
  assert.equal(code.claims().aud, id);
}
// A 401 has a challenge, and this client reports that rather than the body.
await assert.rejects(
  client.clientCredentialsGrant(await discover('demo-post', client.ClientSecretPost('wrong'))),
  (thrown) => thrown.status === 401 && thrown.cause[0].scheme === 'basic',
);
await ask('did', 'client_credentials');

const device = await client.initiateDeviceAuthorization(config, { scope: 'openid offline_access' });
assert.equal(device.interval, 1);
await ask('approve_device', device.verification_uri, device.user_code);
const onDevice = await client.pollDeviceAuthorizationGrant(config, device);
assert.equal(onDevice.claims().sub, 'demo-ada');
assert(onDevice.refresh_token);
const denied = await client.initiateDeviceAuthorization(config, { scope: 'read' });
await ask('deny_device', denied.verification_uri, denied.user_code);
await refused(client.pollDeviceAuthorizationGrant(config, denied), 'access_denied');
await ask('did', 'device');

// What the server does wrong on purpose, this client notices.
for (const fault of ['wrong_state', 'wrong_issuer', 'missing_issuer', 'denied', 'no_token_type']) {
  await ask('fault', fault);
  await assert.rejects(signIn(config), `${fault} went unnoticed`);
}
await signIn(config);
await ask('did', 'faults');
process.exit(0);
