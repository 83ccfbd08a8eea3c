// A certified OpenID provider on loopback, laid out as Microsoft's: what an application or a person signs in to in tests.
// Arguments: the tenant, Graph's address, and an application's secret and public key (a JWK). Prints its port, and ends with
// its standard input. What is asked of /test/approve/CODE or /test/decline/CODE is what a person would do in a browser.
import http from 'node:http';
import Provider from 'oidc-provider';

const [tenant, graph, secret, jwk] = process.argv.slice(2);
const scopes = [`${graph}/Application.ReadWrite.All`, `${graph}/.default`, 'offline_access'];
const grants = ['urn:ietf:params:oauth:grant-type:device_code', 'client_credentials', 'refresh_token'];
const client = (id, more) => ({
  client_id: id, redirect_uris: [], response_types: [], grant_types: grants, scope: scopes.join(' '), ...more,
});

const server = http.createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const { port } = server.address();
const provider = new Provider(`http://127.0.0.1:${port}/${tenant}`, {
  clients: [
    client('person', { token_endpoint_auth_method: 'none', application_type: 'native' }),
    client('with-secret', { client_secret: secret, token_endpoint_auth_method: 'client_secret_post' }),
    client('with-certificate', {
      token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'PS256',
      jwks: { keys: [JSON.parse(jwk)] },
    }),
  ],
  scopes,
  routes: { token: '/oauth2/v2.0/token', device_authorization: '/oauth2/v2.0/devicecode' },
  features: { deviceFlow: { enabled: true }, clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
  ttl: { AccessToken: 3600, ClientCredentials: 3600, DeviceCode: 600, Grant: 3600, RefreshToken: 3600 },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  issueRefreshToken: () => true,
  rotateRefreshToken: true,
});
provider.on('server_error', (_, error) => console.error(error));

async function person(act, userCode) {
  const code = await provider.DeviceCode.findByUserCode(userCode.replace(/[^A-Z0-9]/g, ''), { ignoreExpiration: true });
  if (act === 'decline') {
    code.error = 'access_denied';
    code.errorDescription = 'the person declined';
  } else {
    const grant = new provider.Grant({ accountId: 'kim', clientId: code.clientId });
    grant.addOIDCScope(code.params.scope);
    Object.assign(code, {
      accountId: 'kim', grantId: await grant.save(), scope: code.params.scope, authTime: Math.floor(Date.now() / 1000),
    });
  }
  await code.save();
}

const answer = provider.callback();
server.on('request', async (request, response) => {
  const [, first, act, code] = request.url.split('/');
  if (first === 'test') {
    await person(act, decodeURIComponent(code));
    response.end();
    return;
  }
  request.originalUrl = request.url;
  request.url = request.url.replace(`/${tenant}`, '');
  answer(request, response);
});
console.log(port);
process.stdin.on('end', () => process.exit()).resume();
