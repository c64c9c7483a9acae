// A clear sky by place and time, plain: the sun's place by its mean motion, its light by the air that it crosses.
const RADIANS = Math.PI / 180;

export function sunPosition(at: number, latitudeDeg: number, longitudeDeg: number) {
  const days = at / 86_400_000 - 10_957.5;
  const anomaly = (357.528 + 0.9856003 * days) * RADIANS;
  const meanLongitude = 280.46 + 0.9856474 * days;
  const ecliptic = (meanLongitude + 1.915 * Math.sin(anomaly) + 0.02 * Math.sin(2 * anomaly)) * RADIANS;
  const obliquity = 23.439 * RADIANS;
  const declination = Math.asin(Math.sin(obliquity) * Math.sin(ecliptic));
  const ascension = Math.atan2(Math.cos(obliquity) * Math.sin(ecliptic), Math.cos(ecliptic));
  const sidereal = (280.46061837 + 360.98564736629 * days + longitudeDeg) * RADIANS;
  const hour = sidereal - ascension;
  const latitude = latitudeDeg * RADIANS;
  const sine = Math.sin(latitude) * Math.sin(declination) + Math.cos(latitude) * Math.cos(declination) * Math.cos(hour);
  const azimuth = Math.atan2(
    -Math.sin(hour),
    Math.tan(declination) * Math.cos(latitude) - Math.sin(latitude) * Math.cos(hour),
  );
  return { elevationDeg: Math.asin(sine) / RADIANS, azimuthDeg: (azimuth / RADIANS + 360) % 360 };
}

export function clearSkyIrradiance(at: number, latitudeDeg: number, longitudeDeg: number, altitudeM: number) {
  const sine = Math.sin(sunPosition(at, latitudeDeg, longitudeDeg).elevationDeg * RADIANS);
  if (sine <= 0) return { ghi: 0, dni: 0, dhi: 0 };
  const airMass = Math.exp(-altitudeM / 8400) / (sine + 0.02);
  const dni = 1353 * 0.75 ** (airMass ** 0.678);
  const dhi = 70 * sine ** 0.5;
  return { ghi: dni * sine + dhi, dni, dhi };
}
