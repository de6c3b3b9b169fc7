/** Every address that a live page uses, from its kind and id. Pure. page: {kind: "search" | "training", id}. */

export function searchPaths(id) {
  const api = `/api/searches/${id}`;
  const child = (step, slot) => `/searches/${id}/children/${step}/${slot}`;
  return {
    api,
    children: `${api}/children`,
    childrenThen: `${api}/states/children`,
    table: `${api}/children.csv`,
    curve: `${api}/rewards.html`,
    part: `${api}/curve`,
    changes: `${api}/changes`,
    clone: `/searches/new?clone=${id}`,
    child,
    picture: (step, slot) => `${child(step, slot)}/both.svg`,
    thumbnail: (step, slot, piece) => `${child(step, slot)}/${piece}.svg`,
    ofEpoch: (step, which) => `/searches/${id}/epochs/${step}/${which}.svg`,
    example: `/searches/${id}/example.svg`,
    artifacts: `${api}/artifacts`,
    trainings: `/api/trainings?search=${id}&limit=500`,
    edit: (step, slot) => `/architectures/edit?search=${id}&step=${step}&slot=${slot}`,
    training: (step, slot) => `/trainings/new?search=${id}&step=${step}&slot=${slot}`,
    file: (step, slot, name) => `${api}/children/${step}/${slot}/${name}`,
  };
}

export function streamPaths({ kind, id }) {
  const page = `/${kind === "search" ? "searches" : "trainings"}/${id}`;
  const api = `/api${page}`;
  return { page, api, events: `${api}/events`, socket: `/ws/streams/${id}`, links: `${api}/links`, shares: `${api}/shares` };
}
