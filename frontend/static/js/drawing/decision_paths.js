/** Parallel coordinates in numbers: where axes, options and lines of children stand. Pure. */

export const HEIGHT = 356, HEAD = 50, FOOT = 14, AXIS_WIDTH = 104, RANKS = 5;
const SPREAD = 14; // Lines through one option are spread over so many pixels, by their reward.

/** x of an axis, and y of an option of it, from the first at the top. */
export function axisX(place) {
  return 14 + place * AXIS_WIDTH;
}

export function optionY(options, option) {
  const room = HEIGHT - HEAD - FOOT - SPREAD;
  return HEAD + SPREAD / 2 + (options.length > 1 ? (option / (options.length - 1)) * room : room / 2);
}

export function width(axes) {
  return axisX(axes.length - 1) + AXIS_WIDTH;
}

/** The name of a decision over two lines: "normal 1" and "operation 2". */
export function stackedName(name) {
  const words = name.split(" ");
  const at = words.length > 3 ? words.length - 2 : Math.ceil(words.length / 2);
  return [words.slice(0, at).join(" "), words.slice(at).join(" ")];
}

/** lines by rising reward: each with its points "x,y x,y" and its rank, 0 the lowest fifth. */
export function paths(axes, lines) {
  return lines.map((line, at) => {
    const share = lines.length > 1 ? at / (lines.length - 1) : 0.5;
    const points = line.taken.map((option, place) => {
      const y = optionY(axes[place].options, option) + (0.5 - share) * SPREAD;
      return `${axisX(place)},${y.toFixed(1)}`;
    });
    return { ...line, points: points.join(" "), rank: Math.min(RANKS - 1, Math.floor(share * RANKS)) };
  });
}

/** Whether a line goes through one of the picked options at every axis that has any. picked: a set of options an axis. */
export function isPicked(line, picked) {
  return picked.every((options, place) => options.size === 0 || options.has(line.taken[place]));
}

/** What is picked, in words: how many children, and their mean reward. told(reward): as people read it. */
export function pickedWords(lines, picked, told) {
  const through = lines.filter((line) => isPicked(line, picked));
  if (!through.length) return `None of the ${lines.length} children shown took all of this.`;
  const mean = through.reduce((sum, { reward }) => sum + reward, 0) / through.length;
  const best = through.at(-1);
  const all = through.length === lines.length ? `All ${lines.length} children shown` : `${through.length} of the ${lines.length} children shown`;
  return `${all}: mean reward ${told(mean)}, best ${told(best.reward)} (child ${best.step}.${best.slot}).`;
}
