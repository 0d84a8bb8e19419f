// The colours that the reader has chosen; run before the page is drawn.
(() => {
  const order = ['auto', 'dark', 'light'];
  const chosen = () => {
    const name = localStorage.getItem('node-criu-theme');
    return order.includes(name) ? name : 'auto';
  };
  const apply = () => {
    document.documentElement.dataset.theme = chosen();
  };
  apply();
  window.nextTheme = () => {
    const next = order[(order.indexOf(chosen()) + 1) % order.length];
    localStorage.setItem('node-criu-theme', next);
    apply();
    return next;
  };
})();
