// The unit is asked for only when sale is by weight. The theme's own conditional fields can't be used on this form: a
// field called "attributes" hides the form element's property of that name, on which they rely.
document.addEventListener("DOMContentLoaded", () => {
  const type = document.getElementById("id_price_type");
  const row = document.querySelector(".field-line.field-unit")?.closest(".form-row");
  if (!type || !row) return;
  const show = () => { row.hidden = type.value !== "weight"; };
  type.addEventListener("change", show);
  show();
});
