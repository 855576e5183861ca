// The connection: server-sent events in, JSON posts out. Knows nothing of bubbles.
"use strict";

(() => {
  const { page } = window.iqamati;
  const listeners = {};
  let source = null;
  let last = "";
  let failures = 0;
  let timer = 0;
  let watchdog = 0;
  const SILENCE = 50_000; // ms without even a beat (the server sends one every 15 s): the line is dead

  // Storage may be forbidden together with cookies; the chat then says so instead of failing.
  const shelf = {
    read(key) {
      try { return sessionStorage.getItem(key); } catch { return null; }
    },
    write(key, value) {
      try { sessionStorage.setItem(key, value); return true; } catch { return false; }
    },
  };

  const on = (name, listener) => { listeners[name] = listener; };
  const tell = (name, ...args) => listeners[name]?.(...args);

  function alive() {
    clearTimeout(watchdog);
    watchdog = setTimeout(lost, SILENCE);
  }

  function open() {
    clearTimeout(timer);
    source?.close();
    const query = new URLSearchParams({ lang: page.asked, after: last });
    source = new EventSource(`/chat/events?${query}`);
    alive();
    source.addEventListener("hello", (event) => {
      alive();
      tell("hello", JSON.parse(event.data));
    });
    source.addEventListener("entry", (event) => {
      alive();
      last = event.lastEventId;
      tell("entry", JSON.parse(event.data));
    });
    source.addEventListener("typing", () => { alive(); tell("typing"); });
    // Only now: a server whose store is away still says hello.
    source.addEventListener("synced", () => {
      alive();
      failures = 0;
      tell("synced", last);
      flush();
    });
    source.addEventListener("beat", alive);
    source.addEventListener("stale", stale);
    // The browser's own retry gives up after an HTTP error and never slows down: ours does neither.
    source.onerror = lost;
  }

  function lost() {
    clearTimeout(watchdog);
    clearTimeout(timer);
    source?.close();
    source = null;
    failures += 1;
    tell("lost");
    const wait = Math.min(30_000, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
    timer = setTimeout(open, wait);
  }

  const hurry = () => { if (!source && document.visibilityState === "visible") open(); };

  // The cookie is gone or no longer valid: the page brings a new one. Once, not in a circle.
  function stale() {
    source?.close();
    source = null;
    clearTimeout(watchdog);
    const key = "iqamati-reloaded";
    const before = Number(shelf.read(key) ?? 0);
    if (Date.now() - before > 60_000 && shelf.write(key, String(Date.now()))) location.reload();
    else tell("cookies");
  }

  // One post at a time, in the order the resident did things: a greeting that overtakes a press, or comes behind it,
  // puts its question in the place of the one that was reached.
  let turn = Promise.resolve();
  function inTurn(work) {
    turn = turn.then(work);
    return turn;
  }

  let spoken = false; // something of this page's has reached the service

  // "sent", "refused" (the same again would be refused again) or "away" (worth another try).
  async function post(body) {
    try {
      const answer = await fetch(`/chat/send?${new URLSearchParams({ lang: page.asked })}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Requested-With": "iqamati" },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(30_000),
      });
      if (answer.ok) { spoken = true; return "sent"; }
      if (answer.status === 401) { stale(); return "away"; }
      return answer.status >= 400 && answer.status < 500 && answer.status !== 429 ? "refused" : "away";
    } catch {
      return "away";
    }
  }

  // A file, as it is; "large" beside the words of a post. The browser tells progress to an XMLHttpRequest only.
  function upload(item, file, progress) {
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.open("POST", `/chat/upload?${new URLSearchParams({ lang: page.asked })}`);
      request.timeout = 150_000;
      request.setRequestHeader("X-Requested-With", "iqamati");
      request.setRequestHeader("X-Client", item.client);
      request.setRequestHeader("X-File-Name", encodeURIComponent(item.name));
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.upload.onprogress = (event) => { if (event.lengthComputable) progress(event.loaded / event.total); };
      request.onload = () => {
        const { status } = request;
        if (status === 401) stale();
        if (status === 413) resolve("large");
        else if (status >= 200 && status < 300) resolve("sent");
        else resolve(status >= 400 && status < 500 && ![401, 408, 429].includes(status) ? "refused" : "away");
      };
      // A file that changed on the device since it was chosen fails here, too, and always will.
      request.onerror = request.ontimeout = () => resolve("away");
      request.send(file);
    });
  }

  // Messages go out one after the other, in the order they were written, and wait while offline.
  const KEPT = "iqamati-unsent";
  const queue = JSON.parse(shelf.read(KEPT) ?? "[]");
  let sending = false;
  let misses = 0;
  let again = 0;
  const keep = () => shelf.write(KEPT, JSON.stringify(queue));

  function send(item) {
    queue.push(item);
    keep();
    flush();
  }

  async function flush() {
    clearTimeout(again);
    if (sending) return;
    sending = true;
    while (queue.length) {
      const item = queue[0];
      tell("sending", item);
      const result = await inTurn(() => post(item));
      if (result === "away") {
        misses += 1;
        for (const waiting of queue) tell("unsent", waiting);
        again = setTimeout(flush, Math.min(30_000, 2000 * 2 ** misses));
        break;
      }
      misses = 0;
      queue.shift();
      keep();
      tell(result, item);
    }
    sending = false;
  }

  // Presses do not wait: a button pressed an hour late would answer another question. A few seconds they do: while a
  // release is being replaced, one process leaves alone what the next one takes.
  const PATIENCE = 4000; // ms
  function now(body) {
    return inTurn(async () => {
      const until = Date.now() + PATIENCE;
      let result = await post(body);
      for (let pause = 100; result === "away" && Date.now() + pause < until; pause *= 2) {
        await new Promise((resolve) => { setTimeout(resolve, pause); });
        result = await post(body);
      }
      return result;
    });
  }

  // The greeting of an empty chat. Whatever came first has begun it already.
  function begin(body) {
    return inTurn(() => (spoken || last ? "sent" : post(body)));
  }

  function name(prefix = "m") {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    return `${prefix}-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
  }

  addEventListener("online", hurry);
  document.addEventListener("visibilitychange", hurry);
  addEventListener("pagehide", () => { source?.close(); source = null; clearTimeout(timer); clearTimeout(watchdog); });
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });

  window.iqamati.wire = { on, open, send, flush, now, begin, upload, name, queued: () => [...queue] };
})();
