/** A button that copies a text, and says that it did. */
import { type ReactNode, useEffect, useState } from 'react';
import { defineWords, useWords } from '~/i18n/words';

const copyWords = defineWords(
  { copy: (what: string) => `Copy: ${what}`, copied: 'Copied' },
  { copy: (what: string) => `복사: ${what}`, copied: '복사했습니다' },
);

/** Also where the browser keeps the clipboard for itself: over plain http from another machine. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const field = document.createElement('textarea');
  field.value = text;
  field.style.position = 'fixed';
  document.body.append(field);
  field.select();
  document.execCommand('copy');
  field.remove();
}

/** `children` is what is seen of it; `name` what it is, for those who don't. */
export function Copy({ text, name, children }: { text: string; name: string; children?: ReactNode }) {
  const words = useWords(copyWords);
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1_500);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <button
      type="button"
      title={words.copy(name)}
      aria-label={children === undefined ? words.copy(name) : undefined}
      className="inline-flex items-center gap-1 rounded-field border-0 bg-transparent px-1 text-muted hover:bg-sunken hover:text-text"
      onClick={() => void copyText(text).then(() => setCopied(true))}
    >
      {children}
      {children !== undefined && <span className="sr-only">{words.copy(name)}</span>}
      <svg aria-hidden viewBox="0 0 16 16" className="size-4" fill="none" stroke="currentColor" strokeWidth="1.4">
        <path d={copied ? 'M3 8.5 6.5 12 13 4.5' : 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3'} />
      </svg>
      <span role="status" className="sr-only">
        {copied ? words.copied : ''}
      </span>
    </button>
  );
}
