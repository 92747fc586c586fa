/** The pictures that somebody gave: dropped, pasted or chosen. */
import { useCallback, useEffect, useEffectEvent, useRef, useState } from 'react';
import { isPicture, MOST_PICTURES } from './findings';

export type Picture = { id: number; name: string; file: File; url: string };

/** What of a gift could not be taken. */
export type Left = { tooMany: number; noPictures: boolean };

export function usePictures(pastedName: string) {
  const [pictures, setPictures] = useState<Picture[]>([]);
  const [left, setLeft] = useState<Left>({ tooMany: 0, noPictures: false });
  const next = useRef(1);

  const add = (files: readonly File[], named?: string) => {
    const some = files.filter(isPicture);
    const room = some.slice(0, Math.max(0, MOST_PICTURES - pictures.length));
    setLeft({ tooMany: some.length - room.length, noPictures: files.length > 0 && some.length === 0 });
    if (room.length === 0) return;
    const made = room.map((file) => ({
      id: next.current++,
      name: named ?? file.name,
      file,
      url: URL.createObjectURL(file),
    }));
    setPictures((now) => [...now, ...made]);
  };

  const remove = useCallback((id: number) => {
    setPictures((now) => {
      for (const one of now) if (one.id === id) URL.revokeObjectURL(one.url);
      return now.filter((one) => one.id !== id);
    });
    setLeft({ tooMany: 0, noPictures: false });
  }, []);

  const clear = () => {
    for (const one of pictures) URL.revokeObjectURL(one.url);
    setPictures([]);
    setLeft({ tooMany: 0, noPictures: false });
  };

  const paste = useEffectEvent((event: ClipboardEvent) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    // browsers call each pasted picture image.png
    add(files, files.length === 1 && files[0]?.name === 'image.png' ? pastedName : undefined);
  });
  useEffect(() => {
    const listener = (event: ClipboardEvent) => paste(event);
    addEventListener('paste', listener);
    return () => removeEventListener('paste', listener);
  }, []);

  return { pictures, left, add, remove, clear };
}
