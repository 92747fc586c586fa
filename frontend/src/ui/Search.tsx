/** A field to search with: `/` leads here. What is typed reaches `onChange` when the typing stops. */
import { useEffect, useEffectEvent, useState } from 'react';

const WHILE_TYPING_MS = 250;

export function Search(props: {
  value: string;
  onChange: (text: string) => void;
  label: string;
  placeholder?: string;
  className?: string;
}) {
  const { value, onChange } = props;
  const [typed, setTyped] = useState(value);
  const [before, setBefore] = useState(value);
  if (before !== value) {
    // cleared, or another address: not by typing here
    setBefore(value);
    setTyped(value);
  }
  const say = useEffectEvent(() => {
    setBefore(typed.trim());
    onChange(typed.trim());
  });
  useEffect(() => {
    if (typed.trim() === value) return;
    const timer = setTimeout(say, WHILE_TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, value]);
  return (
    <input
      type="search"
      className={`field ${props.className ?? ''}`}
      aria-label={props.label}
      placeholder={props.placeholder ?? props.label}
      maxLength={200}
      value={typed}
      onChange={(event) => setTyped(event.target.value)}
      onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
    />
  );
}
