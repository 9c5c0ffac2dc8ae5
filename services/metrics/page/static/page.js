// Keeps the open page true: at every revision of the ledger the live parts are fetched anew and what changed is swapped in.
"use strict";

const main = document.getElementById("main");
const state = document.getElementById("state");
const parts = ["today", "chart", "days", "ledger"];
let shown = Number(main.dataset.revision);
let wanted = shown;
let busy = false;

function say(name) {
  if (state.dataset.state === name) return;
  state.dataset.state = name;
  state.textContent = state.dataset[name];
}

function swap(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const id of parts) {
    const [old, next] = [document.getElementById(id), fresh.getElementById(id)];
    if (old && next && old.innerHTML !== next.innerHTML) old.replaceChildren(...next.childNodes);
  }
}

async function refresh() {
  if (busy) return;
  busy = true;
  try {
    while (shown !== wanted) {
      const asked = wanted;
      const answer = await fetch(`/fragment?lang=${document.documentElement.lang}&revision=${asked}`, { cache: "no-store" });
      if (answer.status === 401) return location.reload();
      if (!answer.ok) break;
      swap(await answer.text());
      shown = asked;
      main.dataset.revision = String(asked);
    }
  } catch {
    say("off");
  } finally {
    busy = false;
  }
}

// A browser reconnects by itself after a broken line, but gives up on an answer such as 503 from a service that starts.
function connect() {
  const stream = new EventSource("/v1/stream?after=" + shown);
  stream.addEventListener("open", () => say("on"));
  stream.addEventListener("ledger", (event) => {
    wanted = Number(event.lastEventId);
    refresh();
  });
  stream.addEventListener("error", () => {
    say("off");
    if (stream.readyState !== EventSource.CLOSED) return;
    setTimeout(reconnect, 2000);
  });
}

async function reconnect() {
  const answer = await fetch("/v1/members", { cache: "no-store" }).catch(() => null);
  if (answer && answer.status === 401) return location.reload();
  connect();
}

connect();
