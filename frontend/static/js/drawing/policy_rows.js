/** The controller's policy as rows of cells: decision by decision, option by option. Pure. */

/** Each row: {name, entropy, cells: [{option, probability, share}]}; before the first draw every option is alike. */
export function policyRows(state) {
  return state.decisions.map(({ name, options }, row) => {
    const probabilities = state.policy?.probabilities[row] ?? options.map(() => 1 / options.length);
    return {
      name,
      entropy: state.policy?.entropies[row] ?? Math.log(options.length),
      most: Math.log(options.length),
      cells: options.map((option, place) => ({ option, probability: probabilities[place] })),
    };
  });
}

/** Rows of one cell kind and role stand together: "normal 1 input 1" belongs to {cell: "normal", role: "input"}. */
export function grouped(rows) {
  const groups = new Map();
  for (const row of rows) {
    const { cell, role } = placeOf(row.name);
    const name = `${cell[0].toUpperCase()}${cell.slice(1)} cell: ${role}s`;
    if (!groups.has(name)) groups.set(name, { name, rows: [] });
    groups.get(name).rows.push(row);
  }
  return [...groups.values()];
}

function placeOf(name) {
  const words = name.split(" ");
  const role = words.find((word) => ["input", "operation", "combination"].includes(word)) ?? "option";
  return { cell: words[0], role };
}
