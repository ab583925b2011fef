// A photo may be dropped on the picture as well as chosen; either way the file input carries it, so the form works
// without this script too.
const wire = (picture) => {
  const drop = picture.querySelector(".picture-drop");
  const file = picture.querySelector(".picture-file");
  const preview = picture.querySelector(".picture-preview");
  const note = picture.querySelector(".picture-note");
  const message = picture.querySelector(".picture-message");
  const remove = picture.querySelector(".picture-remove input");
  const before = preview.getAttribute("src");
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
  const chosen = () => {
    const photo = file.files[0];
    if (shown) URL.revokeObjectURL(shown);
    shown = null;
    refuse("");
    note.hidden = true;
    if (!photo) return show(before);
    if (photo.size > Number(picture.dataset.limit)) {
      file.value = "";
      show(before);
      return refuse(picture.dataset.tooLarge);
    }
    if (remove) remove.checked = false;
    shown = URL.createObjectURL(photo);
    note.hidden = false;
    show(shown);
  };

  // The theme's own listener would look for a text box that shows the file's name; here is none.
  file.hasChangeListener = true;
  // A format that this browser can't show (HEIC, TIFF) is still a good photo: the server reads it.
  preview.addEventListener("error", () => { preview.hidden = true; });
  file.addEventListener("change", chosen);
  dropZone(drop, (files) => {
    if (!files.length) return refuse(picture.dataset.noImage);
    const one = new DataTransfer();
    one.items.add(files[0]);
    file.files = one.files;
    file.dispatchEvent(new Event("change", { bubbles: true }));
  });
};

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".picture").forEach(wire));
