// What a reader prefers: the theme, and keys without a modifier. Runs before the first paint, so that nothing flashes.
// Kept in a cookie of the console, which holds these words and nothing else.

(() => {
  const NAME = "doorward_console";
  const read = () => {
    const found = document.cookie.split("; ").find((one) => one.startsWith(`${NAME}=`));
    return new Set((found ? found.slice(NAME.length + 1) : "").split(".").filter(Boolean));
  };
  const write = (words) => {
    document.cookie = `${NAME}=${[...words].join(".")}; Path=/console; SameSite=Strict; Max-Age=31536000`;
  };
  const apply = () => {
    const words = read();
    const theme = words.has("dark") ? "dark" : words.has("light") ? "light" : "";
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  };
  apply();
  globalThis.doorwardPrefs = Object.freeze({
    theme: () => (read().has("dark") ? "dark" : read().has("light") ? "light" : "system"),
    setTheme(theme) {
      const words = read();
      words.delete("dark");
      words.delete("light");
      if (theme !== "system") words.add(theme);
      write(words);
      apply();
    },
    keys: () => !read().has("nokeys"),
    setKeys(on) {
      const words = read();
      if (on) words.delete("nokeys");
      else words.add("nokeys");
      write(words);
    },
  });
})();
