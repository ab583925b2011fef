// A photo may be dropped on the picture as well as chosen; either way the file input carries it, so the form works
// without this script too. What can't be a picture is told at once; the rest the server looks at when it is saved.
const SHOWN_BY_EVERY_BROWSER = ["image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp"];

// The type that the browser knows, or that the suffix promises; undefined for what is no picture.
const typeOf = (photo, types) => {
  if (Object.values(types).includes(photo.type)) return photo.type;
  return types[photo.name.slice(photo.name.lastIndexOf(".")).toLowerCase()];
};

const wire = (picture) => {
  const drop = picture.querySelector(".picture-drop");
  const file = picture.querySelector(".picture-file");
  const preview = picture.querySelector(".picture-preview");
  const note = picture.querySelector(".picture-note");
  const message = picture.querySelector(".picture-message");
  const remove = picture.querySelector(".picture-remove input");
  const before = preview.getAttribute("src");
  const texts = picture.dataset;
  const types = JSON.parse(texts.types);
  let shown = null;

  const show = (source) => {
    preview.hidden = !source;
    if (source) preview.src = source;
    else preview.removeAttribute("src");
  };
  const refuse = (text) => {
    message.textContent = text;
    message.hidden = !text;
  };
  const wrongWith = (photo) => {
    if (!typeOf(photo, types)) return texts.unsupported;
    if (photo.size > Number(texts.limit)) return texts.tooLarge;
    return photo.size ? "" : texts.empty;
  };
  const chosen = () => {
    const photo = file.files[0];
    if (shown) URL.revokeObjectURL(shown);
    shown = null;
    refuse("");
    note.hidden = true;
    if (!photo) return show(before);
    const wrong = wrongWith(photo);
    if (wrong) {
      file.value = "";
      show(before);
      return refuse(wrong);
    }
    if (remove) remove.checked = false;
    shown = URL.createObjectURL(photo);
    note.hidden = false;
    show(shown);
  };

  // The theme's own listener would look for a text box that shows the file's name; here is none.
  file.hasChangeListener = true;
  // A format that this browser can't show (HEIC, TIFF) is still a good photo: the server reads it.
  preview.addEventListener("error", () => {
    preview.hidden = true;
    const photo = file.files[0];
    if (photo && SHOWN_BY_EVERY_BROWSER.includes(typeOf(photo, types))) refuse(texts.unseen);
  });
  file.addEventListener("change", chosen);
  dropZone(drop, (files) => {
    if (!files.length) return refuse(texts.noImage);
    const one = new DataTransfer();
    one.items.add(files[0]);
    file.files = one.files;
    file.dispatchEvent(new Event("change", { bubbles: true }));
  });
};

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".picture").forEach(wire));
