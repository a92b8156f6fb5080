import sharp from "sharp";
import { noise, seeded } from "../../demo/scene/random.js";
import type { Activity, Part } from "./script.js";

/** Seconds from one picture of the camera to the next. */
export const cameraPeriod = 2;

const [width, height] = [320, 240];

/** How something looks this time: drawn once, then seen for a while. */
interface Look {
  readonly pick: (choices: readonly string[]) => string;
  readonly between: (low: number, high: number) => number;
}

/** The camera's picture of what goes on at `t` as a JPEG: drawn, under a light that wavers, by a camera that is not quite still. */
export async function viewAt(t: number, part: Part): Promise<Uint8Array> {
  const random = seeded(part.look);
  const between = (low: number, high: number): number => low + (high - low) * random();
  const pick = (choices: readonly string[]): string => choices[Math.floor(random() * choices.length)]!;
  const drawn = draw[part.activity]({ between, pick });
  const [place, turn, size] = [[between(-22, 22), between(-14, 14)], between(-14, 14), between(0.8, 1.05)];
  const now = seeded(Math.round(t * 1000) + 1);
  const [dx, dy] = [noise(now, 1.5), noise(now, 1.5)];
  const light = Math.max(0, Math.min(0.3, 0.12 + 0.08 * Math.sin(t / 17) + noise(now, 0.01)));
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
${shades}<rect width="${width}" height="${height}" fill="${drawn.behind}"/>
<g transform="translate(${160 + place[0]! + dx} ${120 + place[1]! + dy}) rotate(${drawn.upright ? turn / 4 : turn}) scale(${size})">${drawn.thing}</g>
<rect width="${width}" height="${height}" fill="#000" opacity="${light}"/></svg>`;
  return sharp(Buffer.from(svg)).jpeg({ quality: 80 }).toBuffer();
}

/** Gradients that make flat shapes look like things. */
const shades = `<defs>
<radialGradient id="iron" cx=".45" cy=".4"><stop offset="0" stop-color="#4a4a4a"/><stop offset=".8" stop-color="#222"/><stop offset="1" stop-color="#0c0c0c"/></radialGradient>
</defs>`;

interface Drawing {
  readonly behind: string;
  readonly thing: string;
  readonly upright: boolean;
}

const draw: Readonly<Record<Activity, (look: Look) => Drawing>> = {
  nothing: ({ between, pick }) => {
    const edge = between(60, 90);
    const table = `<rect x="-300" y="${edge}" width="600" height="300" fill="${pick(["#a9834f", "#8d6b3d", "#b08c5c"])}"/>`;
    const rail = `<rect x="-300" y="${edge - 6}" width="600" height="6" fill="#6e5230"/>`;
    const shelf = `<rect x="${between(-120, 20)}" y="${between(-80, -20)}" width="${between(60, 160)}" height="8" fill="#8a7355"/>`;
    return { behind: pick(["#d9cfc0", "#cfd6d8", "#ddd6c6"]), thing: table + rail + shelf, upright: true };
  },

  // A pan from above, with or without something in it.
  frying: ({ between, pick }) => {
    const food = pick(["", "egg", "meat"]);
    const [x, y] = [between(-18, 18) - 30, between(-18, 18)];
    const inside =
      food === "egg"
        ? `<ellipse cx="${x}" cy="${y}" rx="42" ry="36" fill="#fdfcf5"/><circle cx="${x}" cy="${y}" r="16" fill="#f6b21b"/>`
        : food === "meat"
          ? `<ellipse cx="${x}" cy="${y}" rx="40" ry="26" fill="#7a4326"/><ellipse cx="${x - 6}" cy="${y - 4}" rx="26" ry="14" fill="#93583a"/>`
          : "";
    const handle = `<rect x="38" y="-12" width="112" height="22" rx="9" fill="${pick(["#1b1b1b", "#2b211b"])}"/>`;
    const pan = `<circle cx="-30" cy="0" r="86" fill="#111"/><circle cx="-30" cy="0" r="76" fill="url(#iron)"/>`;
    return { behind: pick(["#e8e4dc", "#c9a06a", "#b98f58", "#dcd6c8"]), thing: handle + pan + inside, upright: false };
  },

  // A rubber balloon over the open gas tap fills: that is how an installer shows a leak.
  leak: ({ between, pick }) => {
    const colour = pick(["#e23b2e", "#d8262e", "#e8452c"]);
    const [rx, ry] = [between(58, 72), between(72, 88)];
    const ball = `<ellipse cx="0" cy="-18" rx="${rx}" ry="${ry}" fill="${colour}"/>`;
    const shine = `<ellipse cx="${-rx * 0.35}" cy="${-18 - ry * 0.4}" rx="12" ry="20" fill="#fff" opacity=".5"/>`;
    const neck = `<path d="M0 ${ry - 20} l-8 14 h16z" fill="#8d120c"/><path d="M0 ${ry - 8} q8 22 -3 60" stroke="#e8e8e8" fill="none" stroke-width="2"/>`;
    return { behind: pick(["#8fc3ee", "#9acbef", "#a5cdea"]), thing: ball + shine + neck, upright: true };
  },

  // A broom; what is mopped up with is alcohol.
  cleaning: ({ between, pick }) => {
    const spread = between(52, 70);
    const bristles = Array.from({ length: 16 }, (_, i) => {
      const share = i / 15 - 0.5;
      return `<path d="M${share * 64} 24 L${share * 2 * spread} 118" stroke="#a07a20" stroke-width="2"/>`;
    }).join("");
    const thing = `<rect x="-5" y="-140" width="10" height="165" fill="${pick(["#b0803f", "#96692f", "#c0904f"])}"/>
<path d="M-34 22 h68 l${spread - 34} 96 h${-2 * spread}z" fill="${pick(["#d8b04a", "#cea640", "#e0bc5c"])}"/>${bristles}
<rect x="-34" y="18" width="68" height="10" fill="${pick(["#a03020", "#b04028"])}"/>`;
    return { behind: pick(["#e6dccb", "#e9e1d2", "#dfd5c4"]), thing, upright: false };
  },

  // A mug of coffee.
  coffee: ({ between, pick }) => {
    const [rx, tall] = [between(53, 60), between(142, 158)];
    const colour = pick(["#fff", "#fbf7ef", "#f4f6f8"]);
    const thing = `<path d="M${rx - 4} -40 q66 0 56 52 q-8 46 -58 42" fill="none" stroke="#aaa" stroke-width="20"/>
<path d="M${rx - 4} -40 q66 0 56 52 q-8 46 -58 42" fill="none" stroke="${colour}" stroke-width="16"/>
<path d="M${-rx} -75 h${2 * rx} v${tall - 24} q0 24 -24 24 h${-2 * rx + 48} q-24 0 -24 -24z" fill="${colour}" stroke="#888" stroke-width="3"/>
<ellipse cx="0" cy="-75" rx="${rx}" ry="16" fill="#4a2a12" stroke="#888" stroke-width="3"/>`;
    return { behind: pick(["#f4efe6", "#efe8dc", "#e8e2d6"]), thing, upright: true };
  },
};
