/** The controller's policy as tables: one for each kind of decision, a row for a decision or a layer's skips. Pure. */

/**
 * [{name, rows: [{label, cells: [{name, option, probability, alike}]}]}]. name: of the decision; alike: the probability
 * where all its options were alike, which every probability is until something is drawn.
 */
export function policyGroups({ decisions, policy, shared }) {
  const groups = new Map();
  decisions.forEach(({ name, options }, place) => {
    const probabilities = policy?.probabilities[place] ?? options.map(() => 1 / options.length);
    const { group, label, skip } = placeOf(name, shared ? "node" : "block");
    const cell = (option, probability) => ({ name, option, probability, alike: 1 / options.length });
    if (!groups.has(group)) groups.set(group, { name: group, rows: [] });
    const { rows } = groups.get(group);
    if (skip === null) {
      rows.push({ label, cells: options.map((option, at) => cell(option, probabilities[at])) });
      return;
    }
    if (rows.at(-1)?.label !== label) rows.push({ label, cells: [] });
    rows.at(-1).cells.push(cell(skip, probabilities[options.indexOf("yes")]));
  });
  return [...groups.values()];
}

/** The most entropy that a policy over these decisions can have, in nats. */
export function mostEntropy(decisions) {
  return decisions.reduce((sum, { options }) => sum + Math.log(options.length), 0);
}

/** Which table a decision stands in and which row; skip: the layer that a skip comes from, else null. */
function placeOf(name, unit) {
  const [first, number, role, last] = name.split(" ");
  const row = `${first} ${number}`;
  if (first === "layer") {
    const skip = role === "skip" ? name.split(" from ")[1] : null;
    return { group: skip === null ? "Operation of each layer" : "How probably each layer joins an earlier one", label: row, skip };
  }
  if (first === "node") return { group: role === "source" ? "What each node reads" : "Activation of each node", label: row, skip: null };
  const cell = `${first[0].toUpperCase()}${first.slice(1)} cell`;
  const side = last ? `, ${["first", "second"][last - 1]}` : "";
  return { group: `${cell}: ${role}s`, label: `${unit} ${number}${side}`, skip: null };
}
