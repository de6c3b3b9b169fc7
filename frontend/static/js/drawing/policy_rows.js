/** How decisions stand on the page: in groups of a kind, a row for a decision or for all skips of a layer. Pure. */

/**
 * [{name, rows: [{label, cells: [{decision, option, name, text}]}]}]. decision, option: places, from 0; name: of the
 * decision; text: of the option, or where a skip comes from. Of a skip its "yes" stands alone.
 */
export function policyGroups(decisions, hasSharedWeights) {
  const groups = new Map();
  decisions.forEach(({ name, options }, decision) => {
    const { group, label, skip } = placeOf(name, hasSharedWeights ? "node" : "block");
    if (!groups.has(group)) groups.set(group, { name: group, rows: [] });
    const { rows } = groups.get(group);
    if (skip === null) {
      rows.push({ label, cells: options.map((text, option) => ({ decision, option, name, text })) });
      return;
    }
    if (rows.at(-1)?.label !== label) rows.push({ label, cells: [] });
    rows.at(-1).cells.push({ decision, option: options.indexOf("yes"), name, text: skip });
  });
  return [...groups.values()];
}

/** The policy in which all options of a decision are alike, as a column (see policy_columns.js). */
export function uniformColumn(decisions) {
  return {
    step: null,
    policy: decisions.map(({ options }) => options.map(() => 1 / options.length)),
    entropies: decisions.map(({ options }) => Math.log(options.length)),
  };
}

/** The most entropy that a policy over these decisions can have, in nats. */
export function mostEntropy(decisions) {
  return decisions.reduce((sum, { options }) => sum + Math.log(options.length), 0);
}

/** Which group a decision stands in and which row; skip: the layer that a skip comes from, else null. */
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
