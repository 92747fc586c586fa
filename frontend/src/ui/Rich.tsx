/** A sentence of ours in which what stands between `backticks` is something to type. */
export function Rich({ text }: { text: string }) {
  return (
    <>
      {text.split('`').map((part, index) => {
        const key = `${index} ${part}`;
        if (index % 2 === 0) return part;
        return (
          <code key={key} className="rounded-field bg-sunken px-1 font-mono">
            {part}
          </code>
        );
      })}
    </>
  );
}
