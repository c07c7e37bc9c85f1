// What an audit of accessibility looks for, as a list of complaints about the current page.
(() => {
  const complaints = [];
  const say = (what, element) => complaints.push(what + ': ' + (element?.outerHTML ?? '').slice(0, 120));
  const visible = element => element.checkVisibility({ checkVisibilityCSS: true })
    && element.getClientRects().length > 0;

  // Structure
  if (!document.documentElement.lang) say('no language');
  if (!document.title) say('no title');
  for (const landmark of ['header', 'main', 'footer']) {
    if (document.querySelectorAll('body > ' + landmark).length !== 1) say('not one ' + landmark);
  }
  if (document.querySelectorAll('h1').length !== 1) say(document.querySelectorAll('h1').length + ' h1');
  let level = 0;
  for (const heading of document.querySelectorAll('h1, h2, h3, h4')) {
    const next = Number(heading.tagName[1]);
    if (level && next > level + 1) say('a level of headings is skipped', heading);
    level = next;
  }
  const ids = [...document.querySelectorAll('[id]')].map(element => element.id);
  for (const id of ids) if (ids.filter(other => other === id).length > 1) say('id twice: ' + id);
  for (const link of document.querySelectorAll('a[href^="#"]')) {
    if (!document.getElementById(link.hash.slice(1))) say('a link to nothing', link);
  }

  // Names
  for (const field of document.querySelectorAll('input:not([type=hidden]), textarea, select')) {
    if (!field.labels.length || !field.labels[0].textContent.trim()) say('no label', field);
  }
  for (const element of document.querySelectorAll('a, button, summary')) {
    if (!(element.getAttribute('aria-label') || element.textContent).trim()) say('no name', element);
  }
  for (const element of document.querySelectorAll('[tabindex]')) {
    if (element.tabIndex > 0) say('an order of its own', element);
  }

  // Contrast
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = color => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const background = element => {
    for (let at = element; at; at = at.parentElement) {
      const color = rgba(getComputedStyle(at).backgroundColor);
      if (color[3] === 255) return color;
    }
    return rgba('Canvas');
  };
  const light = color => {
    const [r, g, b] = color.map(part => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  let least = 99;
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !visible(element)) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || size >= 18.66 && style.fontWeight >= 700;
    const ratio = contrast(rgba(style.color), background(element));
    least = Math.min(least, ratio);
    if (ratio < (isLarge ? 3 : 4.5)) say('contrast ' + ratio.toFixed(2), element);
  }
  for (const field of document.querySelectorAll('textarea, select, input[type=password], button')) {
    if (!visible(field)) continue;
    const ratio = contrast(rgba(getComputedStyle(field).borderTopColor), background(field.parentElement));
    if (ratio < 3) say('edge ' + ratio.toFixed(2), field);
  }

  // Space
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) {
    say('wider than the window: ' + root.scrollWidth + ' > ' + root.clientWidth);
    for (const element of document.body.querySelectorAll('*')) {
      if (!element.closest('pre, .scroll') && element.getBoundingClientRect().right > root.clientWidth + 1) {
        say('reaches out', element);
      }
    }
  }
  for (const element of document.querySelectorAll('button, summary, select, .choices label')) {
    const box = element.getBoundingClientRect();
    if (visible(element) && box.height < 24) say('small target: ' + box.height, element);
  }
  return { complaints, least };
})()
