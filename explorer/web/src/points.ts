// Points of the map, by WebGL 2; by a plain canvas where there is none.
import type { Camera } from './camera';

export interface Points {
  readonly slow: boolean;
  /** Places to move from and to, x and y in turn. */
  places(from: Float32Array, to: Float32Array): void;
  /** Red, green, blue and alpha of each point; alpha 0 hides it. */
  colours(rgba: Uint8Array): void;
  /** Draw those in the given ranges, each from a number to another: one in `every`. */
  draw(camera: Camera, moved: number, size: number, opacity: number, ranges: [number, number][], every: number): void;
}

const VERTEX = `#version 300 es
in vec2 from; in vec2 to; in vec4 colour;
uniform vec2 centre; uniform vec2 scale; uniform float moved; uniform float size; uniform float opacity;
out vec4 shade;
void main() {
  vec2 place = (mix(from, to, moved) - centre) * scale;
  gl_Position = colour.a == 0.0 ? vec4(2.0, 2.0, 2.0, 1.0) : vec4(place, 0.0, 1.0);
  gl_PointSize = size;
  shade = vec4(colour.rgb, colour.a * opacity);
}`;
const FRAGMENT = `#version 300 es
precision mediump float;
in vec4 shade; out vec4 pixel;
uniform float edge;
void main() {
  float r = length(gl_PointCoord * 2.0 - 1.0);
  float alpha = shade.a * (1.0 - smoothstep(1.0 - edge, 1.0, r));
  pixel = vec4(shade.rgb * alpha, alpha);
}`;

const ATTRIBUTES = ['from', 'to', 'colour'];

class WebGLPoints implements Points {
  readonly slow = false;
  private program: WebGLProgram;
  private buffers: WebGLBuffer[];
  private every = 0;

  constructor(private canvas: HTMLCanvasElement, private gl: WebGL2RenderingContext) {
    const program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]] as const) {
      const shader = gl.createShader(kind) as WebGLShader;
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error('WebGL cannot draw points');
    this.program = program;
    this.buffers = ATTRIBUTES.map((name) => {
      const place = gl.getAttribLocation(program, name);
      const buffer = gl.createBuffer();
      gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
      gl.enableVertexAttribArray(place);
      return buffer;
    });
    this.take(1);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  places(from: Float32Array, to: Float32Array): void {
    this.fill(0, from);
    this.fill(1, to);
  }

  colours(rgba: Uint8Array): void { this.fill(2, rgba); }

  draw(camera: Camera, moved: number, size: number, opacity: number, ranges: [number, number][], every: number): void {
    const { gl, program, canvas } = this;
    this.take(every);
    const dpr = canvas.width / camera.width;
    const set = (name: string): WebGLUniformLocation | null => gl.getUniformLocation(program, name);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.useProgram(program);
    gl.uniform2f(set('centre'), camera.x, camera.y);
    gl.uniform2f(set('scale'), (2 * camera.scale) / camera.width, (2 * camera.scale) / camera.height);
    gl.uniform1f(set('moved'), moved);
    gl.uniform1f(set('size'), size * dpr);
    gl.uniform1f(set('edge'), Math.min(1, 2.5 / (size * dpr)));
    gl.uniform1f(set('opacity'), opacity);
    for (const [from, to] of ranges) {
      const first = Math.ceil(from / every);
      gl.drawArrays(gl.POINTS, first, Math.ceil(to / every) - first);
    }
  }

  /** Read one point in so many from the buffers. */
  private take(every: number): void {
    if (every === this.every) return;
    this.every = every;
    const { gl, program } = this;
    ATTRIBUTES.forEach((name, at) => {
      const place = gl.getAttribLocation(program, name);
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[at]);
      if (at < 2) gl.vertexAttribPointer(place, 2, gl.FLOAT, false, 8 * every, 0);
      else gl.vertexAttribPointer(place, 4, gl.UNSIGNED_BYTE, true, 4 * every, 0);
    });
  }

  private fill(buffer: number, data: Float32Array | Uint8Array): void {
    this.gl.bindBuffer(this.gl.ARRAY_BUFFER, this.buffers[buffer]);
    this.gl.bufferData(this.gl.ARRAY_BUFFER, data as ArrayBufferView<ArrayBuffer>, this.gl.DYNAMIC_DRAW);
  }
}

class CanvasPoints implements Points {
  readonly slow = true;
  private from: Float32Array = new Float32Array();
  private to: Float32Array = new Float32Array();
  private rgba: Uint8Array = new Uint8Array();

  constructor(private canvas: HTMLCanvasElement, private context: CanvasRenderingContext2D) {}

  places(from: Float32Array, to: Float32Array): void { [this.from, this.to] = [from, to]; }

  colours(rgba: Uint8Array): void { this.rgba = rgba; }

  draw(camera: Camera, moved: number, size: number, opacity: number, ranges: [number, number][], every: number): void {
    const { context } = this;
    const dpr = this.canvas.width / camera.width;
    context.setTransform(dpr, 0, 0, dpr, 0, 0);
    context.clearRect(0, 0, camera.width, camera.height);
    for (const range of ranges) this.part(camera, moved, size, opacity, range, every);
  }

  private part(camera: Camera, moved: number, size: number, opacity: number, [first, last]: [number, number], every: number): void {
    const { context, from, to, rgba } = this;
    for (let at = Math.ceil(first / every) * every; at < last; at += every) {
      const alpha = rgba[4 * at + 3];
      if (!alpha) continue;
      const [x, y] = camera.toScreen(
        from[2 * at] + (to[2 * at] - from[2 * at]) * moved,
        from[2 * at + 1] + (to[2 * at + 1] - from[2 * at + 1]) * moved,
      );
      if (x < 0 || y < 0 || x > camera.width || y > camera.height) continue;
      context.fillStyle = `rgb(${rgba[4 * at]} ${rgba[4 * at + 1]} ${rgba[4 * at + 2]} / ${(alpha / 255) * opacity})`;
      context.fillRect(x - size / 2, y - size / 2, size, size);
    }
  }
}

/** Points on a canvas; `slow` says that the browser has no WebGL 2. */
export function pointsOn(canvas: HTMLCanvasElement): Points {
  const gl = canvas.getContext('webgl2', { antialias: false, premultipliedAlpha: true, preserveDrawingBuffer: true });
  if (gl) return new WebGLPoints(canvas, gl);
  return new CanvasPoints(canvas, canvas.getContext('2d') as CanvasRenderingContext2D);
}
