/** Names of options as the pictures of cells write them. Pure; operations as in search_engine/drawing.py. */

const OPERATIONS = {
  conv_1x3_3x1: "1x3 3x1", conv_1x7_7x1: "1x7 7x1", dilated_conv_3x3: "dil 3x3", avg_pool_3x3: "avg 3x3",
  max_pool_3x3: "max 3x3", max_pool_5x5: "max 5x5", max_pool_7x7: "max 7x7", conv_1x1: "conv 1x1",
  conv_3x3: "conv 3x3", conv_5x5: "conv 5x5", sep_conv_3x3: "sep 3x3", sep_conv_5x5: "sep 5x5", sep_conv_7x7: "sep 7x7",
};
const INPUTS = { "current input": "current", "previous input": "previous" };

/** A short name over two lines, where it has two words: a column's heading. */
export function stackedOption(option) {
  return shortOption(option).replace(" ", "\n");
}

export function shortOption(option) {
  return OPERATIONS[option] ?? INPUTS[option] ?? option;
}
