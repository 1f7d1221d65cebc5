// What tests ask of a page in a real browser; put into each page before its own scripts.
window.looking = {
  // The script has run, all figures are drawn, and nothing has changed for a while. `left` is the address that
  // was there before something was done that changes it.
  async settled(left) {
    const state = () => {
      const app = document.querySelector('[data-testid=stApp]');
      const main = document.querySelector('[data-testid=stMain]');
      if (location.href === left || !app || !main || app.dataset.testScriptState !== 'notRunning') return null;
      if (document.querySelector('[data-stale=true], [data-testid=stSkeleton]')) return null;
      // A page's parameters are written before its name.
      if (/[?&]slot=/.test(location.search) && location.pathname !== '/result') return null;
      const plots = [...document.querySelectorAll('[data-testid=stPlotlyChart]')];
      if (!plots.every(plot => plot.querySelector('.js-plotly-plot .main-svg'))) return null;
      return location.href + main.innerText + document.querySelectorAll('*').length;
    };
    let last = null;
    let since = performance.now();
    const end = since + 30000;
    while (performance.now() < end) {
      const now = state();
      if (now === null || now !== last) {
        last = now;
        since = performance.now();
      } else if (performance.now() - since > 250) {
        return true;
      }
      await new Promise(next => setTimeout(next, 50));
    }
    return false;
  },

  // Figures as they were given, and the axes as they are drawn; arrays of numbers as lists of words.
  figures() {
    const types = {f8: Float64Array, f4: Float32Array, i4: Int32Array, i2: Int16Array, i1: Int8Array,
      u4: Uint32Array, u2: Uint16Array, u1: Uint8Array};
    const plain = (key, value) => {
      if (value && value.bdata) {
        const bytes = Uint8Array.from(atob(value.bdata), letter => letter.charCodeAt(0));
        return Array.from(new types[value.dtype](bytes.buffer), String);
      }
      if (ArrayBuffer.isView(value)) return Array.from(value, String);
      return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
    };
    return [...document.querySelectorAll('.js-plotly-plot')].map(plot => {
      const names = Object.keys(plot._fullLayout).filter(name => /^[xy]axis[0-9]*$/.test(name));
      const axes = Object.fromEntries(names.map(name => [name, plot._fullLayout[name].range]));
      return JSON.parse(JSON.stringify({data: plot.data, layout: plot.layout, axes}, plain));
    });
  },

  tables() {
    const tables = [...document.querySelectorAll('[data-testid=stDataFrame] canvas table')];
    return tables.map(table =>
      [...table.querySelectorAll('tr')].map(row => [...row.children].map(cell => cell.textContent)));
  },

  headings: () => [...document.querySelectorAll('h1, h2, h3, h4')].map(one => one.textContent),
  words: () => document.querySelector('[data-testid=stMain]').innerText,

  unfold() {
    const folded = '[data-testid=stMain] details:not([open]) > summary';
    for (const one of document.querySelectorAll(folded)) one.click();
  },

  // What does not fit: wider than the page, cut off by what is around it, or letters of a figure beyond its
  // edge. What lies in a box that scrolls can be reached.
  cut() {
    const main = document.querySelector('[data-testid=stMain]');
    const width = document.documentElement.clientWidth;
    const found = [];
    for (const one of [document.documentElement, main]) {
      if (one.scrollWidth > width) found.push(`the page is ${one.scrollWidth} wide`);
    }
    const says = one => `${one.textContent.trim().slice(0, 60)} (${one.tagName})`;
    const beside = (at, box) => at.right > box.right + 2 || at.left < box.left - 2;
    for (const plot of main.querySelectorAll('.js-plotly-plot')) {
      const box = plot.getBoundingClientRect();
      for (const text of plot.querySelectorAll('.main-svg text')) {
        const at = text.getBoundingClientRect();
        const visible = at.width && text.checkVisibility({opacityProperty: true});
        if (visible && (beside(at, box) || at.top < box.top - 2)) found.push(says(text));
      }
    }
    for (const leaf of main.querySelectorAll('*')) {
      const letters = [...leaf.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
      if (!letters || leaf.closest('svg, canvas, [data-testid=stDataFrame]') || !leaf.checkVisibility()) continue;
      const at = leaf.getBoundingClientRect();
      if (at.width < 2) continue; // for readers of screens alone
      for (let around = leaf; around !== main; around = around.parentElement) {
        const flow = getComputedStyle(around).overflowX;
        if (flow === 'auto' || flow === 'scroll') break;
        if (flow !== 'visible' && beside(at, around.getBoundingClientRect())) {
          found.push(says(leaf));
          break;
        }
      }
    }
    return found;
  },

  // Tell how many controls there are, and remember which get the focus from now on.
  watchFocus() {
    this.reached = new Set();
    document.addEventListener('focusin', event => this.reached.add(event.target));
    return this.controls().length;
  },

  controls() {
    const all = 'a[href], button:not([disabled]), input:not([type=file]), summary, [role=slider]';
    return [...document.querySelectorAll(all)].filter(one =>
      one.checkVisibility({visibilityProperty: true}) && one.tabIndex >= 0);
  },

  unreached() {
    const left = this.controls().filter(one => !this.reached.has(one));
    return left.map(one => one.getAttribute('aria-label') || one.textContent || one.outerHTML.slice(0, 120));
  },
};
