// Server-Sent Events as text that comes in pieces. EventSource cannot send a token, fetch can.
export interface ServerEvent {
  readonly id: string | null;
  readonly event: string;
  readonly data: string;
}

// Calls `take` for each whole event; returns the function that takes the next piece.
export function sseReader(take: (event: ServerEvent) => void): (piece: string) => void {
  let rest = "";
  let id: string | null = null;
  let event = "";
  let data: string[] = [];
  const line = (text: string) => {
    if (text === "") {
      if (data.length > 0) take({ id, event: event || "message", data: data.join("\n") });
      event = "";
      data = [];
      return;
    }
    const colon = text.indexOf(":");
    if (colon === 0) return; // a comment
    const name = colon < 0 ? text : text.slice(0, colon);
    const value = colon < 0 ? "" : text.slice(colon + 1).replace(/^ /, "");
    if (name === "data") data.push(value);
    else if (name === "event") event = value;
    else if (name === "id") id = value;
  };
  return (piece) => {
    rest += piece;
    for (let end = rest.indexOf("\n"); end >= 0; end = rest.indexOf("\n")) {
      line(rest.slice(0, end).replace(/\r$/, ""));
      rest = rest.slice(end + 1);
    }
  };
}
