// Many pictures at once: each that is dropped or chosen is sent by itself, two at a time, and says what became of it.
// Without this script the form sends them all when it is saved.
const AT_ONCE = 2;

const wire = (zone) => {
  const drop = zone.querySelector(".picture-drop");
  const input = zone.querySelector(".picture-file");
  const list = zone.querySelector(".uploads");
  const summary = zone.querySelector(".uploads-summary");
  const texts = zone.dataset;
  const token = zone.closest("form").querySelector("[name=csrfmiddlewaretoken]").value;
  const waiting = [];
  const counts = { all: 0, done: 0, failed: 0, active: 0 };

  const report = () => {
    summary.hidden = false;
    summary.textContent = texts.summary
      .replace("{done}", counts.done)
      .replace("{all}", counts.all)
      .replace("{failed}", counts.failed);
  };
  const say = (item, state, text) => {
    item.row.dataset.state = state;
    item.row.querySelector(".uploads-state").textContent = text;
  };
  const link = (item, answer) => {
    const anchor = document.createElement("a");
    anchor.href = texts.page.replace("HASH", answer.hash);
    anchor.textContent = item.file.name;
    item.row.querySelector(".uploads-name").replaceChildren(anchor);
    item.row.querySelector("img").src = `${answer.url}?w=160`;
    item.row.querySelector("img").hidden = false;
  };
  const fail = (item, text, again) => {
    counts.failed += 1;
    say(item, "failed", text);
    if (!again) return;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = texts.again;
    button.addEventListener("click", () => {
      button.remove();
      counts.failed -= 1;
      waiting.push(item);
      next();
    });
    item.row.append(button);
  };

  const send = (item) => {
    const request = new XMLHttpRequest();
    const bar = item.row.querySelector("progress");
    request.open("POST", texts.address);
    request.setRequestHeader("X-CSRFToken", token);
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      bar.value = event.lengthComputable ? event.loaded / event.total : 0;
    });
    request.addEventListener("loadend", () => {
      counts.active -= 1;
      const answer = request.response;
      bar.hidden = true;
      if (request.status === 200 || request.status === 201) {
        counts.done += 1;
        link(item, answer);
        say(item, "done", request.status === 201 ? texts.added : texts.known);
      } else {
        // No answer of the server's own, or one that asks to come again: then this picture may well be good.
        const reason = answer?.errors?.[0]?.detail ?? answer?.detail;
        fail(item, reason ?? texts.failed, !reason || request.status >= 500);
      }
      report();
      next();
    });
    say(item, "sending", texts.sending);
    bar.hidden = false;
    const form = new FormData();
    form.append("file", item.file);
    request.send(form);
  };
  const next = () => {
    while (waiting.length && counts.active < AT_ONCE) {
      counts.active += 1;
      send(waiting.shift());
    }
  };

  const add = (file) => {
    const row = document.createElement("li");
    row.innerHTML =
      '<img alt="" hidden><span class="uploads-name"></span><progress max="1" value="0" hidden></progress>' +
      '<span class="uploads-state" role="status"></span>';
    row.querySelector(".uploads-name").textContent = file.name;
    list.append(row);
    counts.all += 1;
    const item = { file, row };
    if (file.size > Number(texts.limit)) fail(item, texts.tooLarge, false);
    else {
      say(item, "waiting", texts.waiting);
      waiting.push(item);
    }
  };
  const take = (files) => {
    [...files].forEach(add);
    if (files.length) report();
    next();
  };

  zone.classList.add("by-itself");
  document.body.classList.add("uploads-by-themselves");
  // The theme's own listener would look for a text box that shows the file's name; here is none.
  input.hasChangeListener = true;
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = "";
  });
  dropZone(drop, take);
  window.addEventListener("beforeunload", (event) => {
    if (counts.active || waiting.length) event.preventDefault();
  });
};

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".pictures").forEach(wire));
