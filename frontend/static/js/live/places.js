/**
 * Where a child stands among all children of a search, from 0. Pure. What a person proposed has the slots behind the last
 * of its step, and stands a hundredth each behind that one; the twin of search_engine/places.py.
 */

/** Whether a person proposed it, so that nothing is learned from it. */
export function isOffPolicy({ slot }, { step_size: size }) {
  return slot >= size;
}

export function indexOf({ step, slot }, { step_size: size }) {
  return slot < size ? step * size + slot : (step + 1) * size - 1 + (slot - size + 1) / 100;
}

/** The step and slot of a child from its place. */
export function placeOf({ step_size: size }, index) {
  const step = Math.floor(index / size);
  const behind = Math.round((index - Math.floor(index)) * 100);
  return { step, slot: behind ? size + behind - 1 : index - step * size };
}
