/** What the backend says of a dataset or a zip in English sentences, in Korean too. A sentence that is not known here
 * is shown as it is. */
import type { Language } from '~/i18n/language';

type Said = [pattern: RegExp, korean: (...parts: string[]) => string];

const REFUSALS: Said[] = [
  [/^No picture for training can be read\.$/, () => '읽을 수 있는 학습용 이미지가 없습니다.'],
  [/^No picture for training has a box that can be used\.$/, () => '쓸 수 있는 박스가 있는 학습용 이미지가 없습니다.'],
  [
    /^Fewer than two classes have pictures for training that can be read\.$/,
    () => '읽을 수 있는 학습용 이미지가 있는 클래스가 두 개보다 적습니다.',
  ],
  [/^No picture for validation can be read\.$/, () => '읽을 수 있는 검증용 이미지가 없습니다.'],
  [
    /^Labels in (\w+) are of classes that data\.yaml does not name: ([\d,]+) \((.+?)(?:, for one)?\)\.$/s,
    (split, count, where) => `${split}의 라벨 ${count}개가 data.yaml에 없는 클래스입니다(예: ${where}).`,
  ],
];

const PROBLEMS: Said[] = [
  [
    /^(\w+) holds nothing of ([\d,]+) of ([\d,]+) classes: (.+)\.$/s,
    (split, missing, all, names) => `${split}에 클래스 ${all}개 중 ${missing}개의 예시가 없습니다: ${names}`,
  ],
  [
    /^(\w+) holds ([\d,]+) of (.+), but ([\d,]+) of (.+)\.$/s,
    (split, most, mostOf, least, leastOf) =>
      `${split}에 ${mostOf} 클래스는 ${most}개, ${leastOf} 클래스는 ${least}개입니다.`,
  ],
];

const LAYOUTS =
  'data.yaml이 있는 YOLO, 주석 json이 있는 COCO, 클래스별 폴더(train/고양이/1.jpg) 중 하나로 구성하십시오.';
const AGAIN = 'zip을 다시 만들어 업로드하십시오.';

const ZIPS: Said[] = [
  [/not a complete zip archive/, () => `온전한 zip 파일이 아닙니다. 중간에 잘렸거나 손상되었습니다. ${AGAIN}`],
  [/^The zip was cut off|lies beyond the end of the file/, () => `zip 파일이 중간에 잘렸습니다. ${AGAIN}`],
  [/holds ([\d,]+) files, but no pictures/, (count) => `파일 ${count}개 중 이미지가 없습니다. ${LAYOUTS}`],
  [/laid out in no way that can be trained with/, () => `학습할 수 있는 폴더 구조가 아닙니다. ${LAYOUTS}`],
  [
    /^No picture for training has a label file: (.+) is missing/,
    (file) =>
      `학습용 이미지에 라벨 파일이 없습니다(예: ${file}). 이미지와 같은 이름의 .txt를 labels 폴더에 넣으십시오.`,
  ],
  [
    /^(.+?) has no list of class names/,
    (file) => `${file}에 클래스 이름 목록이 없습니다. names: [cat, dog] 형식으로 추가하십시오.`,
  ],
  [
    /^(.+?) says nc: (\S+), but names (\d+) classes/,
    (file, nc, names) => `${file}의 nc는 ${nc}인데 클래스 이름은 ${names}개입니다. 둘을 맞추십시오.`,
  ],
  [
    /^(.+?) has a class name twice/,
    (file) => `${file}에 같은 클래스 이름이 두 번 있습니다. 서로 다른 이름을 쓰십시오.`,
  ],
  [
    /^(.+?) does not say where the pictures for (\w+) are/,
    (file, split) => `${file}에 ${split} 이미지의 위치가 없습니다. ${split}: images/${split} 형식으로 추가하십시오.`,
  ],
  [
    /^(.+?) says (\w+): (.+), but the zip has no pictures there/,
    (file, split, where) => `${file}의 ${split} 위치(${where})에 이미지가 없습니다. 경로를 확인하십시오.`,
  ],
  [
    /^(.+?) is not YAML that can be read/,
    (file) => `${file}을(를) YAML로 읽을 수 없습니다. 파일을 고친 뒤 다시 업로드하십시오.`,
  ],
  [
    /^(.+?) is not JSON that can be read/,
    (file) => `${file}을(를) JSON으로 읽을 수 없습니다. COCO 형식으로 다시 내보내십시오.`,
  ],
  [/^(.+?) is encrypted/, (file) => `${file}이(가) 암호화되어 있습니다. 암호 없이 zip을 만드십시오.`],
  [
    /has a backslash in its name/,
    () => '파일 이름에 백슬래시가 있습니다. 탐색기, 7-Zip 등 폴더를 /로 구분하는 도구로 압축하십시오.',
  ],
  [
    /has an absolute path|leads out of the archive/,
    () => '압축 파일 밖을 가리키는 경로가 있습니다. 폴더 자체를 압축하십시오.',
  ],
  [
    /has a control character in its name|no disk can hold/,
    () => '쓸 수 없는 파일 이름이 있습니다. 이름을 바꾼 뒤 다시 압축하십시오.',
  ],
  [/^The zip holds (.+) twice/, (file) => `${file} 파일이 두 번 들어 있습니다. ${AGAIN}`],
  [
    /^The zip holds both (.+) and (.+): on many machines/,
    (one, other) => `${one}과(와) ${other}은(는) 대소문자만 달라 서로 덮어쓸 수 있습니다. 하나의 이름을 바꾸십시오.`,
  ],
  [
    /is a symbolic link|neither a file nor a folder/,
    () => '심볼릭 링크나 특수 파일이 들어 있습니다. 실제 파일만 넣으십시오.',
  ],
  [/is compressed in an uncommon way/, () => '지원하지 않는 압축 방식입니다. 일반적인 방식(deflate)으로 압축하십시오.'],
  [
    /more than [\d,]+ entries|unpacks to [\d,]+ bytes; at most/,
    () => '데이터셋이 너무 큽니다. 여러 개로 나누어 업로드하십시오.',
  ],
  [
    /unpacks to [\d,]+ times its size/,
    () => '압축률이 비정상적으로 높습니다. 이미지를 PNG나 JPEG로 저장한 뒤 다시 압축하십시오.',
  ],
  [
    /gives a size that it can't have|entries .*overlap|described differently/,
    () => `zip 파일의 구조가 올바르지 않습니다. ${AGAIN}`,
  ],
  [
    /^The upload is larger than ([\d,]+) MiB/,
    (size) =>
      `업로드 한도(${size} MiB)를 넘었습니다. 나누어 올리거나 관리자에게 TRAINYARD_MAX_UPLOAD_MB를 늘려 달라고 요청하십시오.`,
  ],
  [/^There is no room for/, () => '서버 디스크에 공간이 부족합니다. 공간을 확보하거나 더 작은 데이터셋을 올리십시오.'],
  [/^\d+ uploads are open/, () => '진행 중인 업로드가 너무 많습니다. 먼저 끝내거나 취소하십시오.'],
  [/is not below imports\//, () => 'imports/ 아래의 경로만 등록할 수 있습니다.'],
  [/^There is nothing below/, () => '저장소의 이 경로에 파일이 없습니다.'],
];

export type InWords = { text: string; lang: Language };

function inWords(text: string, language: Language, known: Said[]): InWords {
  if (language === 'en') return { text, lang: 'en' };
  for (const [pattern, korean] of known) {
    const found = pattern.exec(text);
    if (found !== null) return { text: korean(...found.slice(1)), lang: 'ko' };
  }
  return { text, lang: 'en' };
}

/** A reason why no training can succeed. */
export const refusalInWords = (text: string, language: Language) => inWords(text, language, REFUSALS);

/** The sentence of a problem that names classes. */
export const problemInWords = (text: string, language: Language) => inWords(text, language, PROBLEMS);

/** What is wrong with a zip; `lang` is `en` where there are only the backend's own words. */
export const zipErrorInWords = (text: string, language: Language) => inWords(text, language, ZIPS);
