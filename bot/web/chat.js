// The conversation: entries of the log become bubbles, what the resident does becomes posts.
"use strict";

(() => {
  const { page, word, now, keyOf, make, clock, paint, setLanguage, spansInto, direction, dirs, hello, wire } = window.iqamati;
  const $ = (id) => document.getElementById(id);
  const [scroll, log, typing, bar, down, toast, composer, input, attach, chooser] =
    ["scroll", "log", "typing", "bar", "down", "toast", "composer", "input", "attach", "file"].map($);

  const bubbles = new Map(); // log id -> bubble; an edit's id leads to the bubble it rewrote
  const mine = new Map(); // client id -> bubble
  const keys = new Set();
  let last = [0, 0];
  let lastDay = "";
  let active = null; // the bubble whose buttons answer the current question
  let synced = false;

  // --- scrolling ---------------------------------------------------------------------------------

  // Pinned: new messages are followed. Whoever scrolls up to read lets go; the end pins again.
  let pinned = true;
  let before = { top: 0, height: 0 };
  const atEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60;
  function toEnd(smooth = synced) {
    pinned = true;
    down.hidden = true;
    scroll.scrollTo({ top: scroll.scrollHeight, behavior: smooth ? "smooth" : "instant" });
  }
  function follow() {
    if (pinned) toEnd();
    else down.hidden = false;
  }
  scroll.addEventListener("scroll", () => {
    if (atEnd()) { pinned = true; down.hidden = true; }
    // A settled question takes less room and moves the rest by itself: nobody scrolled then.
    else if (scroll.scrollTop < before.top - 2 && scroll.scrollHeight === before.height) pinned = false;
    before = { top: scroll.scrollTop, height: scroll.scrollHeight };
  }, { passive: true });
  // The keyboard, the bar and a growing field take room from the conversation.
  new ResizeObserver(() => { if (pinned) toEnd(false); }).observe(scroll);

  // --- small words -------------------------------------------------------------------------------

  let toastTimer = 0;
  function note(text) {
    clearTimeout(toastTimer);
    toast.textContent = text;
    toast.classList.add("shown");
    toastTimer = setTimeout(() => { toast.classList.remove("shown"); toast.textContent = ""; }, 3500);
  }

  let typingTimer = 0;
  function showTyping(shown) {
    clearTimeout(typingTimer);
    typing.hidden = !shown;
    if (!shown) return;
    if (pinned) toEnd();
    typingTimer = setTimeout(() => showTyping(false), 8000);
  }

  // --- bubbles -----------------------------------------------------------------------------------

  function build(from, at) {
    const element = make("div", `msg ${from}`);
    element.tabIndex = -1;
    const bubble = make("div", "bubble");
    const who = make("span", "vh");
    who.dataset.word = from === "me" ? "you_said" : "it_said";
    who.textContent = word(who.dataset.word);
    const body = make("div", "body");
    const text = make("div", "text");
    const meta = make("div", "meta");
    meta.append(clock(at, "hour"));
    body.append(text, meta);
    bubble.append(who, body);
    element.append(bubble);
    return { element, body, text, meta, from, at, rows: null };
  }

  function fill(bubble, entry) {
    if (entry.kind) {
      const what = make("span", "", word(`sent_${entry.kind}`));
      what.dataset.word = `sent_${entry.kind}`;
      bubble.text.replaceChildren(what);
      if (entry.name) bubble.text.append(": ", make("bdi", "filename", entry.name));
      bubble.element.classList.add("attached");
    } else {
      spansInto(bubble.text, entry.spans);
      if (bubble.from === "me") {
        bubble.body.dir = direction(bubble.text.textContent); // the resident may write in either script
      } else {
        bubble.body.lang = entry.language;
        bubble.body.dir = dirs[entry.language] ?? "auto";
      }
    }
    // Room for the time at the end of the last line; too long a line leaves it a line of its own.
    bubble.text.append(make("span", "room"));
  }

  // Confirmed bubbles stand in the log's order; unsent ones wait below them.
  function place(bubble) {
    const waiting = log.querySelector(".waiting:not([data-placing])");
    const day = keyOf(bubble.at);
    if (day !== lastDay) {
      lastDay = day;
      const line = make("div", "day");
      line.append(clock(bubble.at, "day"));
      log.insertBefore(line, waiting);
    }
    log.insertBefore(bubble.element, waiting);
  }

  // --- buttons -----------------------------------------------------------------------------------

  function buttonOf(bubble, id, [label, token, url]) {
    const element = make(url ? "a" : "button", "choice");
    const words = make("span", "", label.replace(/^🔗\s*/u, ""));
    words.dir = "auto";
    element.append(words);
    if (url) {
      if (!/^https?:\/\//.test(url)) return element; // never javascript: or data:
      element.href = url;
      element.target = "_blank";
      element.rel = "noopener noreferrer";
      element.classList.add("link");
      element.append(leaving());
      const hint = make("span", "vh");
      hint.dataset.word = "new_tab";
      hint.textContent = word("new_tab");
      element.append(hint);
    } else {
      element.type = "button";
      element.addEventListener("click", () => press(bubble, element, id, token));
    }
    return element;
  }

  // The usual sign of a link that leaves: an arrow out of a box.
  function leaving() {
    const sign = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    sign.setAttribute("viewBox", "0 0 24 24");
    sign.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", "M13 5h6v6M19 5l-9 9M17 14v4a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V8a1 1 0 0 1 1-1h4");
    sign.append(path);
    return sign;
  }

  function arm(bubble, id, rows, lang) {
    bubble.rows?.remove();
    bubble.rows = null;
    if (active === bubble) active = null;
    if (!rows.length) return;
    bubble.rows = make("div", "rows");
    bubble.rows.setAttribute("role", "group");
    bubble.rows.dataset.label = "choices";
    bubble.rows.setAttribute("aria-label", word("choices"));
    bubble.rows.lang = lang;
    bubble.rows.dir = dirs[lang] ?? "auto";
    for (const row of rows) {
      const line = make("div", "row");
      line.append(...row.map((button) => buttonOf(bubble, id, button)));
      bubble.rows.append(line);
    }
    bubble.element.append(bubble.rows);
    if (!bubble.rows.querySelector("button")) return;
    if (active) able(active, false);
    active = bubble;
  }

  function able(bubble, yes) {
    for (const button of bubble.rows?.querySelectorAll("button") ?? []) {
      button.setAttribute("aria-disabled", String(!yes));
      button.tabIndex = yes ? 0 : -1;
    }
    bubble.rows?.classList.toggle("over", !yes);
  }

  // Answered or withdrawn: the choices go, the links stay.
  function disarm(bubble) {
    const held = bubble.element.contains(document.activeElement);
    for (const button of bubble.rows?.querySelectorAll("button") ?? []) button.remove();
    for (const row of bubble.rows?.querySelectorAll(".row") ?? []) if (!row.childElementCount) row.remove();
    if (bubble.rows && !bubble.rows.childElementCount) { bubble.rows.remove(); bubble.rows = null; }
    bubble.rows?.classList.add("over");
    if (active === bubble) active = null;
    // Whoever walks by keyboard goes on from here: the next Tab is the next question's first button.
    if (held) bubble.element.focus({ preventScroll: true });
  }

  async function press(bubble, button, id, token) {
    if (button.getAttribute("aria-disabled") === "true") return;
    able(bubble, false);
    bubble.rows.classList.remove("over");
    button.classList.add("chosen");
    const result = await wire.now({ client: wire.name("p"), press: token, source: id });
    button.classList.remove("chosen");
    if (result !== "sent") note(word("press_failed"));
    if (bubble.rows) able(bubble, active === bubble);
  }

  // --- entries -----------------------------------------------------------------------------------

  function isNew(entry) {
    const [ms, n] = entry.id.split("-").map(Number);
    if (ms < last[0] || (ms === last[0] && n <= last[1])) return false;
    last = [ms, n];
    const repeated = entry.key && keys.has(entry.key);
    keys.add(entry.key);
    return !repeated;
  }

  function message(entry) {
    const known = entry.from === "me" ? mine.get(entry.client) : bubbles.get(entry.edits);
    const bubble = known ?? build(entry.from, entry.at);
    if (entry.from === "bot") setLanguage(entry.language);
    if (!known) {
      place(bubble);
    } else if (entry.from === "me") {
      confirm(bubble, entry);
    }
    fill(bubble, entry);
    bubbles.set(entry.id, bubble);
    if (entry.from === "bot") {
      asks(bubble, entry);
      const held = known && bubble.rows?.contains(document.activeElement);
      arm(bubble, entry.edits && known ? entry.edits : entry.id, entry.rows, entry.language);
      if (held) (bubble.rows?.querySelector(".choice") ?? bubble.element).focus({ preventScroll: true });
      showTyping(false);
    } else if (entry.client) {
      mine.set(entry.client, bubble);
    }
  }

  // --- files -------------------------------------------------------------------------------------

  // The question that waits for a file. News without buttons in between does not end it; another question does.
  let asked = null;
  function asks(bubble, entry) {
    if (entry.awaits?.length) asked = { bubble, kinds: entry.awaits };
    else if (asked?.bubble === bubble || entry.rows.some((row) => row.some(([, token]) => token))) asked = null;
    paintAttach();
  }
  function paintAttach() {
    const held = document.activeElement === chooser;
    attach.hidden = !asked;
    if (held && !asked) input.focus({ preventScroll: true });
  }

  function confirm(bubble, entry) {
    mark(bubble, "");
    bubble.at = entry.at;
    bubble.element.dataset.placing = "";
    place(bubble);
    delete bubble.element.dataset.placing;
    bubble.element.classList.remove("waiting");
    bubble.meta.querySelector("time").replaceWith(clock(entry.at, "hour"));
  }

  const kinds = {
    message,
    settle(entry) {
      const bubble = bubbles.get(entry.target);
      if (!bubble) return;
      setLanguage(entry.language);
      fill(bubble, entry);
      disarm(bubble);
      if (asked?.bubble === bubble) asked = null;
      paintAttach();
      bubble.element.classList.add("settled");
    },
    disarm(entry) {
      const bubble = bubbles.get(entry.target);
      if (bubble) disarm(bubble);
    },
    erase(entry) {
      const bubble = bubbles.get(entry.target);
      if (!bubble) return;
      bubble.element.remove();
      bubbles.delete(entry.target);
      if (synced) note(word("erased"));
    },
  };

  wire.on("entry", (entry) => {
    if (!isNew(entry)) return;
    kinds[entry.type]?.(entry);
    follow();
  });
  wire.on("typing", () => showTyping(true));
  let barTimer = 0;
  wire.on("hello", hello);
  wire.on("synced", (id) => {
    clearTimeout(barTimer);
    barTimer = 0;
    bar.hidden = true;
    if (!synced) { toEnd(false); synced = true; }
    log.setAttribute("aria-busy", "false");
    if (!id) start();
  });
  async function start() {
    if (last[0]) return; // somebody was faster: another tab, or the resident
    // One name for the hour: two tabs opened on an empty chat greet once.
    const result = await wire.begin({ client: `start-${Math.floor(now() / 3600)}`, text: "/start" });
    if (result === "away") setTimeout(start, 3000);
  }
  wire.on("lost", () => {
    barTimer ||= setTimeout(() => { bar.hidden = false; }, 1200); // a blink is not worth a word
  });
  wire.on("cookies", () => {
    clearTimeout(barTimer);
    const line = bar.querySelector("[data-word]");
    line.dataset.word = "cookies";
    line.textContent = word("cookies");
    bar.hidden = false;
  });

  // --- the resident's own messages ---------------------------------------------------------------

  function mark(bubble, state) {
    bubble.element.classList.remove("sending", "unsent");
    bubble.meta.querySelector(".state")?.remove();
    if (!state) return;
    bubble.element.classList.add(state);
    const sign = make(state === "unsent" ? "button" : "span", "state");
    sign.dataset.word = state;
    sign.textContent = word(state);
    if (state === "unsent") sign.type = "button";
    bubble.meta.append(sign);
    if (pinned) toEnd(false);
  }

  function echo(item) {
    const bubble = build("me", now());
    bubble.item = item;
    fill(bubble, { kind: item.sent ?? "", name: item.name, spans: [[item.text ?? "", ""]] });
    bubble.element.classList.add("waiting");
    bubble.element.addEventListener("click", () => {
      if (!bubble.element.classList.contains("unsent")) return;
      if (bubble.file) carry(bubble);
      else if (!wire.queued().some((waiting) => waiting.client === item.client)) wire.send(item);
      else wire.flush();
    });
    mine.set(item.client, bubble);
    log.append(bubble.element);
    toEnd();
    return bubble;
  }

  function submit(body) {
    const item = { client: wire.name(), ...body };
    echo(item);
    wire.send(item);
  }

  const marked = (state) => (item) => { const bubble = mine.get(item.client); if (bubble?.item) mark(bubble, state); };
  wire.on("sending", marked("sending"));
  wire.on("unsent", marked("unsent"));
  wire.on("refused", marked("unsent"));
  wire.on("sent", marked(""));

  function grow() {
    input.style.height = "auto";
    input.style.height = `${Math.min(input.scrollHeight, 140)}px`;
    composer.classList.toggle("ready", input.value.trim() !== "");
  }

  composer.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (text) {
      input.value = "";
      grow();
      submit({ text });
    }
    input.focus();
  });
  input.addEventListener("input", grow);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    composer.requestSubmit();
  });

  // A file leaves the phone only where it was asked for. Of any other one the service hears that there was one.
  function attached(files) {
    const file = files[0];
    const kind = { image: "photo", audio: "voice", video: "video" }[file.type.split("/")[0]] ?? "document";
    if (!asked?.kinds.includes(kind)) submit({ sent: kind });
    else if (file.size > page.limit) submit({ sent: kind, missing: "large", name: file.name });
    else carry(Object.assign(echo({ client: wire.name("f"), sent: kind, name: file.name }), { file }));
  }

  async function carry(bubble) {
    mark(bubble, "sending");
    const bar = make("progress");
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", word("sending"));
    bubble.meta.append(bar);
    const result = await wire.upload(bubble.item, bubble.file, (done) => { bar.value = done; });
    bar.remove();
    if (result === "sent") bubble.file = null;
    else if (result === "large") wire.send({ ...bubble.item, missing: "large" });
    else if (result === "refused") note(word("file_failed")); // the same again would be refused again
    mark(bubble, { sent: "", large: "sending" }[result] ?? "unsent");
  }

  chooser.addEventListener("change", () => {
    if (chooser.files.length) attached(chooser.files);
    chooser.value = ""; // the same file may be chosen again
  });
  input.addEventListener("paste", (event) => {
    if (!event.clipboardData.files.length) return;
    event.preventDefault();
    attached(event.clipboardData.files);
  });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) attached(event.dataTransfer.files);
  });

  // --- the rest of the page ----------------------------------------------------------------------

  $("language").addEventListener("click", async (event) => {
    const to = event.currentTarget.dataset.to;
    const result = await wire.now({ client: wire.name("lang"), text: `/language ${to}` });
    if (result !== "sent") note(word("press_failed"));
  });

  async function copy(code) {
    try {
      await navigator.clipboard.writeText(code.dataset.copy);
      note(word("copied"));
    } catch { // no permission, or no secure context: leave it selected for the resident's own copy
      getSelection().selectAllChildren(code);
    }
  }
  log.addEventListener("click", (event) => {
    const code = event.target.closest("code[data-copy]");
    if (code) copy(code);
  });
  log.addEventListener("keydown", (event) => {
    if (!event.target.matches("code[data-copy]") || !["Enter", " "].includes(event.key)) return;
    event.preventDefault();
    copy(event.target);
  });

  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    input.focus();
    toEnd();
  });
  down.addEventListener("click", () => { toEnd(true); input.focus({ preventScroll: true }); });
  document.addEventListener("visibilitychange", paint); // "today" may have become "yesterday"

  // Safari's keyboard covers the page instead of shrinking it.
  visualViewport?.addEventListener("resize", () => {
    document.documentElement.style.setProperty("--height", `${visualViewport.height}px`);
  });

  paint();
  grow();
  for (const item of wire.queued()) echo(item);
  if (matchMedia("(pointer: fine)").matches) input.focus();
  wire.open();
})();
