// What part of the map is seen. The map lies in -1..1, y upwards; the screen in CSS pixels, y downwards.

export interface View { x: number; y: number; zoom: number }

export class Camera {
  x = 0;
  y = 0;
  zoom = 1;
  width = 1;
  height = 1;

  /** CSS pixels for one unit of the map. */
  get scale(): number { return (Math.min(this.width, this.height) / 2.2) * this.zoom; }

  toScreen(x: number, y: number): [number, number] {
    return [this.width / 2 + (x - this.x) * this.scale, this.height / 2 - (y - this.y) * this.scale];
  }

  toMap(x: number, y: number): [number, number] {
    return [this.x + (x - this.width / 2) / this.scale, this.y - (y - this.height / 2) / this.scale];
  }

  pan(dx: number, dy: number): void {
    this.x -= dx / this.scale;
    this.y += dy / this.scale;
    this.bound();
  }

  /** Zoom so that what is under a place of the screen stays there. */
  zoomAt(factor: number, x: number, y: number): void {
    const [mapX, mapY] = this.toMap(x, y);
    this.zoom = Math.max(0.3, Math.min(500, this.zoom * factor));
    const [newX, newY] = this.toMap(x, y);
    this.x += mapX - newX;
    this.y += mapY - newY;
    this.bound();
  }

  get view(): View { return { x: this.x, y: this.y, zoom: this.zoom }; }

  set view({ x, y, zoom }: View) {
    [this.x, this.y, this.zoom] = [x, y, Math.max(0.3, Math.min(500, zoom))];
    this.bound();
  }

  private bound(): void {
    this.x = Math.max(-2, Math.min(2, this.x));
    this.y = Math.max(-2, Math.min(2, this.y));
  }
}
