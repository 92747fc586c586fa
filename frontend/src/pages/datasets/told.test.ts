import { describe, expect, it } from 'vitest';
import { problemInWords, refusalInWords, zipErrorInWords } from './told';

describe('what the backend says, in Korean', () => {
  it.each([
    'No picture for training can be read.',
    'No picture for training has a box that can be used.',
    'Fewer than two classes have pictures for training that can be read.',
    'No picture for validation can be read.',
    'Labels in train are of classes that data.yaml does not name: 1,204 (train/labels/a.txt:3, for one).',
    'Labels in val are of classes that data.yaml does not name: 3 (val).',
  ])('has words for %s', (text) => {
    expect(refusalInWords(text, 'ko').lang).toBe('ko');
    expect(refusalInWords(text, 'en')).toEqual({ text, lang: 'en' });
  });

  it('keeps the figures and the file', () => {
    const told = refusalInWords(
      'Labels in train are of classes that data.yaml does not name: 1,204 (a.txt:3, for one).',
      'ko',
    );
    expect(told.text).toContain('1,204');
    expect(told.text).toContain('a.txt:3');
    expect(told.text).not.toContain('for one');
  });

  it.each([
    'The file is not a complete zip archive (File is not a zip file).',
    'The zip holds 12 files, but no pictures.',
    'The zip is laid out in no way that can be trained with: pictures are 3 in a. It holds no data.yaml.',
    'No picture for training has a label file: labels/1.txt is missing, for one.',
    'data.yaml says nc: 3, but names 2 classes.',
    'data.yaml says train: images/train, but the zip has no pictures there.',
    "'a.jpg' is encrypted.",
    "The zip holds 'a.jpg' twice.",
    "The zip holds both 'A.jpg' and 'a.jpg': on many machines one overwrites the other.",
    'The upload is larger than 20,480 MiB.',
    'The zip unpacks to 120 times its size, as no set of pictures does.',
  ])('has words for %s', (text) => {
    expect(zipErrorInWords(text, 'ko').lang).toBe('ko');
  });

  it('names the classes that are missing or rare', () => {
    expect(problemInWords('val holds nothing of 1 of 5 classes: bird.', 'ko').text).toBe(
      'val에 클래스 5개 중 1개의 예시가 없습니다: bird',
    );
    expect(problemInWords('train holds 1,300 of cat, dog, but 1 of cow.', 'ko').text).toContain(
      'cat, dog 클래스는 1,300개',
    );
  });

  it('shows what it does not know as it is', () => {
    expect(zipErrorInWords('Something new.', 'ko')).toEqual({ text: 'Something new.', lang: 'en' });
  });
});
