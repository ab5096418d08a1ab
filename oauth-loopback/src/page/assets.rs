//! The page's style and scripts, and the hashes by which its policy admits them and nothing else.

/// A script, and its SHA-256 in base64. A test computes it again.
pub(crate) struct Script {
    pub(crate) text: &'static str,
    pub(crate) sha256: &'static str,
}

/// Takes the response out of the address bar, and so out of the history and of whatever is shared from it.
pub(crate) const SCRUB: Script = Script {
    text: "history.replaceState(null,\"\",location.pathname)",
    sha256: "8A+3er73YJf04rRHGhbZwZQACPiiipi9EPduIeAAIDk=",
};

/// The same, and tries to close the tab once it was seen. Browsers allow that for few tabs; the text says what else to do.
pub(crate) const SCRUB_AND_CLOSE: Script = Script {
    text: "history.replaceState(null,\"\",location.pathname);setTimeout(()=>window.close(),3000)",
    sha256: "ctnEzlEk/HmbiYkdyCCvBurszMXct20WXHDYUIWpRQY=",
};

/// Posts the fragment, and goes where the end of the login is told. Some servers say what went wrong in the query.
///
/// Where nobody answers, the address stays as it is, to be copied.
pub(crate) const HAND_OVER: Script = Script {
    text: "const to=document.currentScript.dataset.to;\
fetch(to,{method:\"POST\",body:location.hash.slice(1)||location.search.slice(1),\
headers:{\"Content-Type\":\"application/x-www-form-urlencoded\"}})\
.then(()=>location.replace(to),()=>document.documentElement.className=\"lost\")",
    sha256: "ECicn9oR/+2uQB8TenY9P1kVmtqwVaxVU7r6Vn+NBY4=",
};

pub(crate) const STYLE: &str = "\
:root{color-scheme:light dark;--back:#f3f4f6;--card:#fff;--ink:#16191d;--soft:#535a63;--line:#e0e3e8;\
--shade:0 1px 2px #0f172a0f,0 12px 32px #0f172a14;--tone:#535a63;--tint:#eceef2}\
.good{--tone:#12703c;--tint:#e1f4e8}.bad{--tone:#b3261e;--tint:#fce8e6}\
@media(prefers-color-scheme:dark){\
:root{--back:#0f1114;--card:#1a1d21;--ink:#edeff2;--soft:#a8b0ba;--line:#2b3037;--shade:none;\
--tone:#a8b0ba;--tint:#272b31}\
.good{--tone:#7bdba3;--tint:#15301f}.bad{--tone:#ffb4ab;--tint:#3f1f1c}}\
*{box-sizing:border-box}\
body{margin:0;min-height:100vh;min-height:100svh;display:grid;place-items:center;padding:1.25rem;\
background:var(--back);color:var(--ink);font:1rem/1.6 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",\
\"Liberation Sans\",\"DejaVu Sans\",sans-serif;-webkit-text-size-adjust:100%;-webkit-font-smoothing:antialiased}\
main{width:100%;max-width:27rem;padding:2.5rem 2rem 2.25rem;text-align:center;background:var(--card);\
border:1px solid var(--line);border-radius:1.25rem;box-shadow:var(--shade);overflow-wrap:anywhere}\
.mark{display:block;width:4rem;height:4rem;margin:0 auto 1.5rem;padding:1rem;border-radius:50%;\
background:var(--tint);color:var(--tone);fill:none;stroke:currentColor;stroke-width:2.25;stroke-linecap:round;\
stroke-linejoin:round}\
.app{margin:0 0 .375rem;font-size:.875rem;font-weight:600;color:var(--soft)}\
h1{margin:0 0 .75rem;font-size:1.4375rem;line-height:1.3;font-weight:650;letter-spacing:-.011em;text-wrap:balance}\
p{margin:0;color:var(--soft);text-wrap:pretty}\
p+p,p+noscript p{margin-top:.75rem}\
.lost .wait,.gone{display:none}.lost .gone{display:block}.lost .turn{animation:none}\
@media(scripting:none){.way{display:none}.way+noscript p{margin-top:0}.mark .turn{animation:none}}\
@media(max-width:26rem){main{padding:2rem 1.375rem 1.875rem;border-radius:1rem}}\
@media(prefers-reduced-motion:no-preference){\
.turn{animation:turn 1.1s linear infinite;transform-origin:50% 50%}\
@keyframes turn{to{transform:rotate(1turn)}}}\
@media(forced-colors:active){.mark{border:1px solid}}";

/// The SHA-256 of [`STYLE`] in base64. A test computes it again.
pub(crate) const STYLE_SHA256: &str = "BaRTqC3rv6fsClNvpMmVgmw2TZ9XLHYDcnjJS70epp4=";
