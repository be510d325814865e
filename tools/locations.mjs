// Removes from a WebAssembly module where in the source each possible panic is. The message of a panic stays. The places are an
// eighth of the data and do not compress; a development build has them.

/** The start and the length of a string, a line and a column: four numbers of four bytes. */
const LOCATION = 16;
const SOURCE = /^[\x21-\x7e]+\/[\x21-\x7e]+\.rs$/;

/** Overwrites the locations, and the names of their files. Changes no length. */
export function removeLocations(wasm) {
  const segments = dataSegments(wasm);
  const offsetOf = (address) => {
    const segment = segments.find(({ start, length }) => address >= start && address < start + length);
    return segment && segment.offset + address - segment.start;
  };
  const names = [];
  const locations = [];
  for (const { start, offset, length } of segments) {
    for (let at = offset + (-start & 3); at + LOCATION <= offset + length; at += 4) {
      const size = wasm.readUInt32LE(at + 4);
      const name = size > 4 && size < 256 ? offsetOf(wasm.readUInt32LE(at)) : undefined;
      if (name === undefined || !SOURCE.test(wasm.toString("latin1", name, name + size))) continue;
      names.push([name, name + size]);
      locations.push(at);
    }
  }
  // Afterwards: the search reads them. An empty string starts at any address but 0.
  for (const [from, to] of names) wasm.fill(0, from, to);
  for (const at of locations) wasm.fill(0, at, at + LOCATION).writeUInt8(1, at);
  return wasm;
}

/** The segments of the data: their addresses in the memory, their offsets in the module, and their lengths. */
function dataSegments(wasm) {
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = wasm[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  };
  const segments = [];
  while (at < wasm.length) {
    const section = wasm[at++];
    const end = number() + at;
    if (section === 11) {
      for (let count = number(); count > 0; count--) {
        // Active in the first memory, at a constant: i32.const … end.
        if (number() !== 0 || wasm[at++] !== 0x41) throw new Error("a segment of the data has no constant address");
        const start = number();
        if (wasm[at++] !== 0x0b) throw new Error("a segment of the data has a computed address");
        const length = number();
        segments.push({ start, offset: at, length });
        at += length;
      }
    }
    at = end;
  }
  return segments;
}
