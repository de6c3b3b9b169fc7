/** A command that tries out what a new token may do. Pure. */

export function tryOut({ token, scopes }, origin) {
  const start = `curl -H "Authorization: Bearer ${token}"`;
  if (scopes.includes("read")) return `${start} ${origin}/api/searches`;
  if (scopes.includes("download")) return `${start} -OJ ${origin}/api/artifacts/ID`;
  return `${start} -H "Content-Type: application/json" -d @search.json ${origin}/api/searches`;
}
