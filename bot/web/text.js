// Words, languages, dates and the rendering of a message's text. No state but the page's language.
"use strict";

window.iqamati = {};

(() => {
  const page = JSON.parse(document.getElementById("words").textContent);
  const dirs = { ar: "rtl", en: "ltr" };
  // Latin digits in both languages; the service tells its deadlines in Kuwaiti time, so do we.
  const locales = { ar: "ar-KW-u-nu-latn-ca-gregory", en: "en-GB-u-nu-latn-ca-gregory" };
  const zone = "Asia/Kuwait";
  const formats = {};
  for (const [language, locale] of Object.entries(locales)) {
    formats[language] = {
      hour: new Intl.DateTimeFormat(locale, { timeZone: zone, hour: "2-digit", minute: "2-digit", hour12: false }),
      day: new Intl.DateTimeFormat(locale, { timeZone: zone, day: "numeric", month: "long", year: "numeric" }),
    };
  }
  const dayKey = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" });

  let language = dirs[page.lang] ? page.lang : "ar";
  let ahead = 0; // seconds the server's clock is ahead of ours

  const word = (name) => page.words[language][name] ?? "";
  const now = () => Date.now() / 1000 + ahead;
  const keyOf = (at) => dayKey.format(new Date(at * 1000));

  function dayLabel(at) {
    if (keyOf(at) === keyOf(now())) return word("today");
    if (keyOf(at) === keyOf(now() - 86400)) return word("yesterday");
    return formats[language].day.format(new Date(at * 1000));
  }

  const hourLabel = (at) => formats[language].hour.format(new Date(at * 1000));

  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function clock(at, kind) {
    const time = make("time");
    time.dateTime = new Date(at * 1000).toISOString();
    time.dataset.at = at;
    time.dataset.kind = kind;
    time.textContent = kind === "day" ? dayLabel(at) : hourLabel(at);
    return time;
  }

  // Rewrites every word of the page that is not a message.
  function paint() {
    const root = document.documentElement;
    root.lang = language;
    root.dir = dirs[language];
    document.title = word("name");
    for (const element of document.querySelectorAll("[data-word]")) element.textContent = word(element.dataset.word);
    for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", word(element.dataset.label));
    for (const element of document.querySelectorAll("[data-placeholder]")) element.placeholder = word(element.dataset.placeholder);
    for (const element of document.querySelectorAll("time[data-kind]")) {
      element.textContent = element.dataset.kind === "day" ? dayLabel(element.dataset.at) : hourLabel(element.dataset.at);
    }
    const other = language === "ar" ? "en" : "ar";
    const button = document.getElementById("language");
    button.lang = other;
    button.dataset.to = other;
    paintOperator();
  }

  function paintOperator() {
    const parts = page.authority ? [page.operator, page.authority] : [word("unofficial"), page.operator];
    const line = document.getElementById("operator");
    line.replaceChildren();
    for (const part of parts.filter(Boolean)) {
      if (line.childNodes.length) line.append(" · ");
      line.append(make("bdi", "", part));
    }
  }

  function setLanguage(wanted) {
    if (!dirs[wanted] || wanted === language) return;
    language = wanted;
    paint();
  }

  // Directional marks and isolates help reading; whoever pastes a number does not want them.
  const bare = (text) => text.replace(/[\u200e\u200f\u061c\u2066-\u2069]/g, "");

  // The direction of the first letter; what has none (a number) reads as the page does.
  function direction(text) {
    const letter = text.match(/\p{L}/u)?.[0];
    if (!letter) return dirs[language];
    return /[\p{Script=Arabic}\p{Script=Hebrew}]/u.test(letter) ? "rtl" : "ltr";
  }

  function codeOf(text) {
    const run = make("bdi");
    const code = make("code", "", text);
    code.dir = "ltr";
    if (!text.includes("*")) { // a masked number is no use on a clipboard
      code.tabIndex = 0;
      code.setAttribute("role", "button");
      code.dataset.copy = bare(text);
      code.title = word("copy");
    }
    run.append(code);
    return run;
  }

  function spansInto(element, spans) {
    element.replaceChildren();
    for (const [text, style] of spans) {
      if (style === "b") element.append(make("strong", "", text));
      else if (style === "code") element.append(codeOf(text));
      else element.append(text);
    }
  }

  Object.assign(window.iqamati, {
    page, word, now, keyOf, make, clock, paint, setLanguage, spansInto, direction, dirs,
    language: () => language,
    hello(news) {
      ahead = news.now - Date.now() / 1000;
      page.operator = news.operator;
      page.authority = news.authority;
      paint();
    },
  });
})();
