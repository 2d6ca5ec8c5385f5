// Server-Sent Events as text that comes in pieces. EventSource cannot send a token, fetch can.
export interface ServerEvent {
  readonly id: string | null;
  readonly event: string;
  readonly data: string;
}

// Calls `take` for each whole event; returns the function that takes the next piece.
export function sseReader(take: (event: ServerEvent) => void): (piece: string) => void {
  let begun: string[] = []; // a line of 10,000 GPUs comes in hundreds of pieces
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
    const value =
      colon < 0 ? "" : text.slice(text.charAt(colon + 1) === " " ? colon + 2 : colon + 1);
    if (name === "data") data.push(value);
    else if (name === "event") event = value;
    else if (name === "id") id = value;
  };
  return (piece) => {
    let start = 0;
    for (let end = piece.indexOf("\n"); end >= 0; end = piece.indexOf("\n", start)) {
      begun.push(piece.slice(start, end));
      const whole = begun.join("");
      begun = [];
      line(whole.endsWith("\r") ? whole.slice(0, -1) : whole);
      start = end + 1;
    }
    if (start < piece.length) begun.push(piece.slice(start));
  };
}
