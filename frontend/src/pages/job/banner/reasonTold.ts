/** Korean sentences for a reason, where nothing more is known than that; in English the backend's own are shown. */
import type { Reason } from '~/ui/reasonWords';

type Told = { what: string; advice: string };

export const koreanReasons: Record<Reason, Told> = {
  Completed: { what: '학습이 정상적으로 끝났습니다.', advice: '' },
  CancelledByUser: { what: '명령줄, 페이지 또는 API에서 취소를 요청했습니다.', advice: '작업에는 문제가 없습니다.' },
  CancelledBySignal: {
    what: '외부 시그널이 중단했습니다. 터미널의 Ctrl+C이거나 다른 프로그램입니다.',
    advice: '작업에는 문제가 없습니다.',
  },
  TrainerError: {
    what: '트레이너가 오류로 종료되었습니다.',
    advice: '오류 추적에 파일과 줄이 표시되며, 로그에서 그 이전 내용을 볼 수 있습니다.',
  },
  BadConfiguration: {
    what: '트레이너가 설정값을 받아들이지 않았습니다.',
    advice: '아래 줄에 표시된 설정을 고쳐 다시 제출하십시오.',
  },
  OutOfMemory: {
    what: '메모리가 부족하여 학습이 강제 종료되었습니다.',
    advice: '배치 크기, 이미지 크기 또는 workers 값을 줄이십시오.',
  },
  Killed: {
    what: '외부에서 트레이너 프로세스를 강제 종료했습니다.',
    advice: '무엇이 종료했는지 시스템 로그(journalctl -k, dmesg)에서 확인하십시오.',
  },
  HeartbeatLost: {
    what: '트레이너가 오랫동안 아무 신호도 보내지 않아 중단했습니다.',
    advice: '로그의 마지막 줄에서 멈춘 위치를 확인하십시오. 잠금, 네트워크 대기에는 제한 시간이 필요합니다.',
  },
  ExitedWithoutDone: {
    what: '트레이너가 결과를 알리지 않고 종료되었습니다.',
    advice: '`Job().run(train)`을 사용하면 결과를 알립니다. os._exit 나 프로세스를 끝내는 라이브러리를 확인하십시오.',
  },
  LaunchFailed: { what: '트레이너를 시작하지 못했습니다.', advice: '아래 내용을 고친 뒤 다시 시도하십시오.' },
  EnvironmentFailed: {
    what: '트레이너에 필요한 패키지를 설치하지 못했습니다.',
    advice: 'requirements.txt 또는 패키지 저장소 연결을 고친 뒤 다시 시도하십시오. 이미 설치된 것은 유지됩니다.',
  },
  SupervisorLost: {
    what: '학습을 감독하던 프로세스가 종료되었습니다.',
    advice: '학습 자체에는 문제가 없습니다. 시스템 로그에서 원인을 확인할 수 있습니다.',
  },
  MachineRestarted: { what: '학습 중에 컴퓨터가 재시작되었습니다.', advice: '학습 자체에는 문제가 없습니다.' },
  DiskFull: { what: '디스크에 남은 공간이 없었습니다.', advice: '공간을 확보한 뒤 다시 시도하십시오.' },
  CheckpointLost: {
    what: '학습은 끝났지만 체크포인트를 저장하지 못했습니다.',
    advice: '학습 자체는 정상입니다. 서비스 상태에서 저장소를 확인한 뒤 다시 시도하십시오.',
  },
  Timeout: {
    what: '제한 시간을 넘겨 중단했습니다.',
    advice: '설정에서 제한 시간을 늘리거나 에폭 수를 줄이십시오. 그때까지의 결과는 남아 있습니다.',
  },
  Evicted: { what: '클러스터가 노드에서 이 학습을 내보냈습니다.', advice: '학습 자체에는 문제가 없습니다.' },
  ImagePull: {
    what: '클러스터가 이미지를 가져오지 못했습니다.',
    advice: '이미지 이름을 고치거나 클러스터가 이미지를 가져올 수 있게 한 뒤 다시 시도하십시오.',
  },
  Unschedulable: {
    what: '요청한 자원을 줄 수 있는 노드가 없습니다.',
    advice: '요청을 줄이거나 사용 가능한 자원에 맞추십시오.',
  },
};
