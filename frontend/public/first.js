// Theme and language before the first paint; src/app/theme.ts and src/i18n/language.ts write what is read here.
(() => {
  const kept = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  };
  const root = document.documentElement;
  const theme = kept('trainyard.theme');
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = theme === 'light' || theme === 'dark' ? theme : dark ? 'dark' : 'light';
  const language = kept('trainyard.language');
  root.lang = language === 'ko' || language === 'en' ? language : navigator.language.startsWith('ko') ? 'ko' : 'en';
})();
