// OpenSeadragon over the tiles of a slide.
import OpenSeadragon from 'openseadragon'
import { isClosed } from '../cannot-show.ts'
import { drawTile } from './draw-tile.ts'
import { columnsOf, rowsOf, type Slide } from './slide.ts'

interface Seadragon {
  readonly element: HTMLElement
  readonly slide: Slide
  /** Ends with the viewer; every fetch ends with it. */
  readonly signal: AbortSignal
  readonly failed: (error: unknown) => void
}

const TILES_BYTES_MAX = 96 * 2 ** 20
const TILES_MIN = 24
const TILES_MAX = 400
const FETCHES_MAX = 6
const TILE_MS_MAX = 120_000

export function openSeadragon({ element, slide, signal, failed }: Seadragon): OpenSeadragon.Viewer {
  withoutStyle()
  const largest = slide.levels[0]!
  const tileBytes = largest.tileWidth * largest.tileHeight * 4
  const viewer = new OpenSeadragon.Viewer({
    element,
    tileSources: [sourceOf(slide, signal, failed)],
    drawer: 'canvas',
    showNavigationControl: false,
    showNavigator: true,
    navigatorPosition: 'TOP_RIGHT',
    navigatorWidth: '8rem',
    navigatorHeight: '6rem',
    navigatorBackground: '#ffffff',
    navigatorDrawer: ['canvas'],
    navigatorBorderColor: '#71857f',
    navigatorDisplayRegionColor: '#0d6769',
    imageLoaderLimit: FETCHES_MAX,
    timeout: TILE_MS_MAX,
    tileRetryMax: 0,
    maxImageCacheCount: Math.max(TILES_MIN, Math.min(TILES_MAX, Math.floor(TILES_BYTES_MAX / tileBytes))),
    maxZoomPixelRatio: 4,
    visibilityRatio: 0.3,
    constrainDuringPan: true,
    animationTime: matchMedia('(prefers-reduced-motion: reduce)').matches ? 0.001 : 0.5,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true },
    crossOriginPolicy: false,
  })
  return viewer
}

function sourceOf(slide: Slide, signal: AbortSignal, failed: (error: unknown) => void): OpenSeadragon.TileSource {
  const largest = slide.levels[0]!
  const maxLevel = slide.levels.length - 1
  /** OpenSeadragon counts from the smallest. */
  const at = (level: number): { readonly index: number } & Slide['levels'][number] => {
    const index = Math.max(0, Math.min(maxLevel, maxLevel - level))
    return { index, ...slide.levels[index]! }
  }
  const source = new OpenSeadragon.TileSource({
    width: largest.width,
    height: largest.height,
    tileWidth: largest.tileWidth,
    tileHeight: largest.tileHeight,
    minLevel: 0,
    maxLevel,
    ready: true,
  })
  const name = crypto.randomUUID()
  return Object.assign(source, {
    getLevelScale: (level: number) => at(level).width / largest.width,
    getTileWidth: (level: number) => at(level).tileWidth,
    getTileHeight: (level: number) => at(level).tileHeight,
    getNumTiles: (level: number) => new OpenSeadragon.Point(columnsOf(at(level)), rowsOf(at(level))),
    getTileUrl: (level: number, column: number, row: number) => `${name}/${level}/${column}/${row}`,
    hasTransparency: () => false,
    downloadTileStart: (job: OpenSeadragon.ImageJob): void => {
      const controller = new AbortController()
      job.userData = { controller }
      const [level = 0, column = 0, row = 0] = job.src.split('/').slice(1).map(Number)
      const { index, width, height, tileWidth, tileHeight } = at(level)
      const ends = AbortSignal.any([signal, controller.signal])
      slide
        .tile({ level: index, column, row }, ends)
        .then((tile) =>
          drawTile(
            {
              tile,
              width: Math.max(1, Math.min(tileWidth, width - column * tileWidth)),
              height: Math.max(1, Math.min(tileHeight, height - row * tileHeight)),
            },
            ends,
          ),
        )
        .then((context) => job.finish(context, null, 'context2d'))
        .catch((error: unknown) => {
          if (ends.aborted || isClosed(error)) return
          failed(error)
          job.fail(error instanceof Error ? error.message : 'failed', null)
        })
    },
    downloadTileAbort: (job: OpenSeadragon.ImageJob): void => {
      const { controller } = job.userData as { controller?: AbortController }
      controller?.abort()
    },
  })
}

/**
 * OpenSeadragon would write a style into the page, which the page's policy forbids, unless one with this mark is there. An element of no
 * namespace answers to its question and is no style; what the style says is in slide.module.css.
 */
function withoutStyle(): void {
  const mark = 'data-openseadragon-mobile-css'
  if (document.querySelector(`style[${mark}]`) !== null) return
  const stand = document.createElementNS(null, 'style')
  stand.setAttribute(mark, 'true')
  document.head.append(stand)
}
