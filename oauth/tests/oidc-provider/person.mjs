// The person and their browser: follows redirects, keeps cookies, submits forms.
//
//   node person.mjs URL             signs in at URL, then goes where the redirects lead and prints the page there
//   node person.mjs --print URL     the same without going there: prints where they lead
//   node person.mjs --approve URL   confirms the code of a device page
//   node person.mjs --deny URL      refuses it
//
// The certificate authority comes by NODE_EXTRA_CA_CERTS.
import { once } from 'node:events';
import { get } from 'node:http';

const [url, mode = '--visit'] = process.argv.slice(2).reverse();
const cookies = new Map();

function keep(response) {
  for (const line of response.headers.getSetCookie()) {
    const [pair, ...rest] = line.split(/; */);
    const attributes = new Map(rest.map((text) => text.split('=')).map(([name, value]) => [name.toLowerCase(), value]));
    const path = attributes.get('path') ?? '/';
    const key = `${path} ${pair.split('=')[0]}`;
    if (Date.parse(attributes.get('expires')) < Date.now()) cookies.delete(key);
    else cookies.set(key, { path, pair });
  }
}

async function open(url, form) {
  const sent = [...cookies.values()].filter(({ path }) => url.pathname.startsWith(path));
  const cookie = sent.map(({ pair }) => pair).join('; ');
  const method = form ? 'POST' : 'GET';
  const response = await fetch(url, { method, body: form, headers: { cookie }, redirect: 'manual' });
  keep(response);
  return response;
}

// What a person would send of the form on a page: its fields, and a press on the button.
function fill(page) {
  const action = page.match(/<form[^>]* action="([^"]+)"/)?.[1];
  if (!action) return {};
  const fields = new URLSearchParams();
  for (const [input] of page.matchAll(/<input[^>]*>/g)) {
    const [name, value] = ['name', 'value'].map((attribute) => input.match(new RegExp(` ${attribute}="([^"]*)"`))?.[1]);
    if (name) fields.set(name, value ?? '');
  }
  if (mode === '--deny' && fields.has('confirm')) fields.set('abort', 'yes');
  return { action: new URL(action), fields, decisive: fields.has('confirm') };
}

// Ends at a page without a form, at the page after the decision, or at the way out: a URL of another origin.
async function browse(url) {
  const home = url.origin;
  let form;
  let decided = false;
  for (let steps = 0; steps < 20; steps += 1) {
    const response = await open(url, form);
    const location = response.headers.get('location');
    if (location) {
      url = new URL(location, url);
      form = undefined;
      if (url.origin !== home) return { out: url };
      continue;
    }
    const page = await response.text();
    const { action, fields, decisive } = fill(page);
    if (!response.ok || decided || !action) return { page, status: response.status };
    [url, form, decided] = [action, fields, decisive];
  }
  throw new Error('the server goes round in circles');
}

function fail(what, page) {
  console.error(`${what}\n${page}`);
  process.exit(1);
}

const { out, page, status } = await browse(new URL(url));
if (mode === '--approve' || mode === '--deny') {
  if (status !== 200) fail(`the device page says ${status}`, page);
} else if (!out) {
  fail(`the server shows a page (${status}) and sends nobody back`, page);
} else if (mode === '--print') {
  console.log(out.href);
} else {
  // Not by fetch, which says that a script asks. This is what a browser says of a person's own step to a page.
  const headers = { 'sec-fetch-dest': 'document', 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'cross-site' };
  const [response] = await once(get(out, { headers }), 'response');
  const text = (await response.setEncoding('utf8').toArray()).join('');
  if (response.statusCode >= 400) fail(`the client's page says ${response.statusCode}`, text);
  console.log(text);
}
