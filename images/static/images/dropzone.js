// A place for files: `take` gets those that are dropped on it. It shows (class "over") that they may be.
const dropZone = (place, take) => {
  for (const kind of ["dragenter", "dragover"]) {
    place.addEventListener(kind, (event) => {
      event.preventDefault();
      place.classList.add("over");
    });
  }
  place.addEventListener("dragleave", () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    place.classList.remove("over");
    take(event.dataTransfer.files);
  });
};

// A file that misses the place must not replace the page and lose what was typed.
for (const kind of ["dragover", "drop"]) window.addEventListener(kind, (event) => event.preventDefault());
