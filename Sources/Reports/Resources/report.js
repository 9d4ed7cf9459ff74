"use strict";
(() => {
  const read = id => {
    const element = document.getElementById(id);
    return element ? JSON.parse(element.textContent) : null;
  };
  const make = (name, kind, text) => {
    const element = document.createElement(name);
    if (kind) element.className = kind;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const grouped = number => String(number).replace(/\B(?=(\d{3})+$)/g, ",");
  document.documentElement.classList.add("scripted");

  // Charts: the numbers under the pointer.
  const nearest = (places, place) => {
    let low = 0, high = places.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (places[middle] < place) low = middle; else high = middle;
    }
    return place - places[low] < places[high] - place ? low : high;
  };
  const charts = read("charts") || {};
  document.querySelectorAll("[data-chart]").forEach(figure => {
    const chart = charts[figure.dataset.chart];
    const area = figure.querySelector(".area");
    if (!chart || !area) return;
    const cursor = make("div", "cursor"), tip = make("div", "tip");
    cursor.hidden = tip.hidden = true;
    area.append(cursor, tip);
    const [from, to] = chart.x;
    const show = event => {
      const box = area.getBoundingClientRect();
      const fraction = Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1);
      const place = from + fraction * (to - from);
      const found = chart.series.map(one => one.x.length ? nearest(one.x, place) : -1);
      let best = null;
      chart.series.forEach((one, index) => {
        const x = one.x[found[index]];
        if (x !== undefined && (best === null || Math.abs(x - place) < Math.abs(best - place))) best = x;
      });
      if (best === null) return;
      tip.replaceChildren(make("div", "", chart.name + " " + grouped(best)));
      chart.series.forEach((one, index) => {
        if (one.x[found[index]] !== best || one.y[found[index]] === null) return;
        const row = make("div");
        row.append(make("span", "c" + one.color, one.name), make("span", "", one.y[found[index]]));
        tip.append(row);
      });
      const left = 100 * (best - from) / (to - from);
      cursor.style.left = left + "%";
      tip.style.left = left < 50 ? left + "%" : "auto";
      tip.style.right = left < 50 ? "auto" : (100 - left) + "%";
      cursor.hidden = tip.hidden = false;
    };
    area.addEventListener("pointermove", show);
    area.addEventListener("pointerdown", show);
    area.addEventListener("pointerleave", () => { cursor.hidden = tip.hidden = true; });
  });

  // Trees: the layer, the model and the token that are looked at.
  const trees = read("trees");
  const figure = document.querySelector(".trees");
  if (!trees || !figure) return;
  const count = trees.tokens.length;
  const slider = figure.querySelector("input[type=range]");
  const title = figure.querySelector(".layer"), sums = figure.querySelector(".sums");
  const info = figure.querySelector(".token"), hint = info.textContent;
  const number = x => Math.round(x * 2) / 2;
  const drawings = [...figure.querySelectorAll("svg.tree")].map(svg => {
    const texts = [...svg.querySelectorAll("text")];
    const line = trees.line, arc = trees.arc;
    const x = texts.map(text => +text.getAttribute("x"));
    const row = texts.map(text => Math.floor(+text.getAttribute("y") / line));
    const width = svg.viewBox.baseVal.width;
    const base = r => r * line + arc;
    const rise = distance => 10 + 11 * (Math.min(distance, 6) - 1);
    const path = (child, parent) => {
      const a = Math.min(child, parent), b = Math.max(child, parent);
      const up = rise(b - a), start = base(row[a]), end = base(row[b]);
      if (row[a] === row[b]) {
        return `M${x[a]} ${start}Q${number((x[a] + x[b]) / 2)} ${start - 2 * up} ${x[b]} ${start}`;
      }
      let d = `M${x[a]} ${start}Q${x[a]} ${start - up} ${width} ${start - up}`;
      for (let r = row[a] + 1; r < row[b]; r++) d += `M0 ${base(r) - up}H${width}`;
      return d + `M0 ${end - up}Q${x[b]} ${end - up} ${x[b]} ${end}`;
    };
    return { svg, texts, x, row, path, base, line,
      arcs: [...svg.querySelectorAll(".arcs path")], marks: svg.querySelector(".marks") };
  });
  let reading = trees.reading, layer = +slider.value, picked = -1, pinned = false;
  const parents = () => trees.readings[reading].layers[layer].p;
  const cosines = () => trees.readings[reading].layers[layer].c;

  const draw = () => {
    const p = parents(), c = cosines();
    title.textContent = `Layer ${layer}`;
    const depths = new Array(count).fill(0);
    let jumps = 0, back = 0, depth = 0;
    const children = Array.from({ length: count }, () => []);
    p.forEach((step, token) => {
      if (!step) return;
      if (Math.abs(step) !== 1) jumps++;
      if (step < 0) back++;
      children[token + step].push(token);
    });
    for (let order = [count - 1]; order.length;) {
      const token = order.pop();
      for (const child of children[token]) {
        depths[child] = depths[token] + 1;
        depth = Math.max(depth, depths[child]);
        order.push(child);
      }
    }
    sums.textContent = `${grouped(jumps)} of ${grouped(count - 1)} edge${count === 2 ? "" : "s"} `
      + `${jumps === 1 ? "joins" : "join"} no neighbours, ${grouped(back)} `
      + `${back === 1 ? "leads" : "lead"} back; depth ${grouped(depth)}, a chain's is ${grouped(count - 1)}.`;
    for (const drawing of drawings) {
      const paths = Array.from({ length: 9 }, () => []);
      p.forEach((step, token) => {
        if (!step) return;
        const kind = step < 0 ? 2 : step === 1 ? 0 : 1;
        const level = trees.levels.filter(least => c[token] >= least).length;
        paths[3 * kind + level].push(drawing.path(token, token + step));
      });
      drawing.arcs.forEach((element, place) => element.setAttribute("d", paths[place].join("")));
    }
    state = { children, depths };
    pick(picked);
  };
  let state = null;

  const words = (tokens, kind) => {
    const nodes = [];
    tokens.slice(0, 12).forEach((token, place) => {
      if (place) nodes.push(" ");
      nodes.push(make("code", kind, trees.tokens[token]));
    });
    if (tokens.length > 12) nodes.push(` and ${grouped(tokens.length - 12)} more`);
    return nodes;
  };
  const pick = token => {
    picked = token;
    const p = parents(), c = cosines();
    const inside = new Set(), way = [];
    if (token >= 0) {
      for (let rest = [...state.children[token]]; rest.length;) {
        const next = rest.pop();
        inside.add(next);
        rest.push(...state.children[next]);
      }
      for (let at = token; p[at]; at += p[at]) way.push(at + p[at]);
    }
    const onWay = new Set(way);
    for (const drawing of drawings) {
      // Of the two drawings, the page's width shows one.
      if (!drawing.svg.getBoundingClientRect().width) continue;
      drawing.svg.classList.toggle("picked", token >= 0);
      drawing.texts.forEach((text, place) => {
        const kind = place === token ? "self" : inside.has(place) ? "in" : onWay.has(place) ? "way" : "";
        if (text.getAttribute("class") !== kind) text.setAttribute("class", kind);
      });
      drawing.marks.replaceChildren();
      if (token < 0) continue;
      const mark = (tokens, kind) => {
        const element = document.createElementNS(drawing.svg.namespaceURI, "path");
        element.setAttribute("class", kind);
        element.setAttribute("d", tokens.map(at => drawing.path(at, at + p[at])).join(""));
        drawing.marks.append(element);
      };
      mark([...inside], "in");
      mark([token, ...way.slice(0, -1)].filter(at => p[at]), "way");
    }
    if (token < 0) { info.textContent = hint; return; }
    const sorted = [...inside].sort((a, b) => a - b);
    info.replaceChildren(make("code", "", trees.tokens[token]),
      ` (place ${grouped(token)}, id ${trees.ids[token]}, depth ${grouped(state.depths[token])}) gathers from `);
    if (sorted.length) info.append(`${grouped(sorted.length)}: `, ...words(sorted, "in"));
    else info.append("no other token");
    if (!p[token]) info.append("; it is the root.");
    else {
      info.append("; flows to ", ...words(way, "way"),
        `. Edge weight ${Math.exp(-c[token] / 1000).toFixed(3)}, cosine ${(c[token] / 1000).toFixed(3)}.`);
    }
  };
  const at = (drawing, event) => {
    const box = drawing.svg.getBoundingClientRect();
    const scale = drawing.svg.viewBox.baseVal.width / box.width;
    const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
    const row = Math.floor(y / drawing.line);
    let best = -1;
    drawing.x.forEach((place, token) => {
      if (drawing.row[token] !== row) return;
      if (best < 0 || Math.abs(place - x) < Math.abs(drawing.x[best] - x)) best = token;
    });
    return best;
  };
  for (const drawing of drawings) {
    drawing.svg.addEventListener("pointermove", event => {
      if (pinned || event.pointerType === "touch") return;
      const token = at(drawing, event);
      if (token !== picked) pick(token);
    });
    drawing.svg.addEventListener("pointerleave", () => { if (!pinned) pick(-1); });
    drawing.svg.addEventListener("click", event => {
      const token = at(drawing, event);
      pinned = !(pinned && token === picked);
      pick(pinned ? token : -1);
    });
    drawing.svg.addEventListener("keydown", event => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (event.key === "Escape") { pinned = false; pick(-1); }
      if (!step) return;
      event.preventDefault();
      pinned = true;
      pick(Math.min(Math.max(picked < 0 ? (step > 0 ? 0 : count - 1) : picked + step, 0), count - 1));
    });
  }
  slider.addEventListener("input", () => { layer = +slider.value; draw(); });
  figure.querySelectorAll("input[name=reading]").forEach(input => {
    input.addEventListener("change", () => { reading = +input.value; draw(); });
  });
  addEventListener("resize", () => pick(picked));
  // An address may name what is looked at: trees.html#layer=2&token=14
  const wish = new URLSearchParams(location.hash.slice(1));
  const wished = (name, limit) => {
    const value = wish.has(name) ? Math.trunc(+wish.get(name)) : -1;
    return value >= 0 && value < limit ? value : -1;
  };
  if (wished("layer", trees.readings[0].layers.length) >= 0) {
    layer = Math.trunc(+wish.get("layer"));
    slider.value = layer;
  }
  picked = wished("token", count);
  pinned = picked >= 0;
  draw();
})();
