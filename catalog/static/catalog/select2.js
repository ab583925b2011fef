// Selects with search speak the language of the page. Select2 looks for its words by the name of the language, but
// finds only what was asked for before; and the theme's own selects don't name a language.
{
  const select2 = django.jQuery.fn.select2;
  const page = document.documentElement.lang;
  const name = { "zh-hans": "zh-CN" }[page] ?? page;
  select2.defaults.set("language", select2.amd.require(`select2/i18n/${name}`));
}
