// Where the sun stands, and what a clear sky would send down and an array make of it. Good to a hundredth of a degree
// from 1950 to 2050, which moves a clear-sky figure by less than the turbidity of the air does from hour to hour.
//
// Position: J. Meeus, Astronomical Algorithms, 2nd ed. 1998, chapters 12, 13, 22 and 25 (low accuracy), the equations of the
// NOAA solar calculator; parallax and refraction as in I. Reda, A. Andreas, Solar Position Algorithm, NREL/TP-560-34302.
// Clear sky: P. Ineichen, R. Perez, Solar Energy 73 (2002) 151. Air mass: F. Kasten, A. Young, Applied Optics 28 (1989) 4735.
// Tilted plane: B. Liu, R. Jordan, Solar Energy 4 (1960) 1 (isotropic sky).

export interface PvFacts {
  readonly latitudeDeg: number;
  /** East positive. */
  readonly longitudeDeg: number;
  readonly altitudeM: number;
  /** Nominal power of the array under standard test conditions. */
  readonly pvCapacityW: number;
  /** 0 lies flat, 90 stands upright. */
  readonly tiltDeg: number;
  /** Where the array looks, clockwise from north: 180 is south. */
  readonly azimuthDeg: number;
}

export interface SunPosition {
  /** Above the horizon as seen, through the air's refraction at sea level and 10 °C. */
  readonly elevationDeg: number;
  /** Clockwise from north. */
  readonly azimuthDeg: number;
}

export interface Irradiance {
  /** On a level plane, W/m². */
  readonly ghi: number;
  /** Beam, on a plane facing the sun. */
  readonly dni: number;
  /** From the rest of the sky, on a level plane. */
  readonly dhi: number;
}

const DAY_MS = 86_400_000;
/** Julian day of the Unix epoch. */
const UNIX_EPOCH_JD = 2_440_587.5;
const J2000_JD = 2_451_545;
const DAYS_PER_CENTURY = 36_525;
/** Terrestrial minus universal time: 65 s in 2000, 69 s in 2020. Four seconds move the sun by 0.00005°. */
const DELTA_T_S = 69;
/** Total irradiance of the sun at one astronomical unit (Kopp and Lean 2011), W/m². */
const SOLAR_CONSTANT = 1361;
/** The sun's upper edge on the horizon: its radius, and the refraction there. */
const HORIZON_DEG = -(0.26667 + 0.5667);

const RAD = Math.PI / 180;
const sin = (deg: number): number => Math.sin(deg * RAD);
const cos = (deg: number): number => Math.cos(deg * RAD);
const tan = (deg: number): number => Math.tan(deg * RAD);
const asin = (ratio: number): number => Math.asin(Math.min(1, Math.max(-1, ratio))) / RAD;
const turn = (deg: number): number => ((deg % 360) + 360) % 360;

interface SunInSpace {
  readonly rightAscensionDeg: number;
  readonly declinationDeg: number;
  readonly distanceAu: number;
  /** Equation of the equinoxes: what nutation adds to sidereal time. */
  readonly equinoxesDeg: number;
}

/** Apparent place of the sun, Meeus chapter 25. */
function sunInSpace(at: number): SunInSpace {
  const centuries = (at / DAY_MS + UNIX_EPOCH_JD + DELTA_T_S / 86_400 - J2000_JD) / DAYS_PER_CENTURY;
  const meanLongitude = 280.46646 + centuries * (36_000.76983 + centuries * 0.0003032);
  const anomaly = 357.52911 + centuries * (35_999.05029 - centuries * 0.0001537);
  const eccentricity = 0.016708634 - centuries * (0.000042037 + centuries * 0.0000001267);
  const centre =
    (1.914602 - centuries * (0.004817 + centuries * 0.000014)) * sin(anomaly) +
    (0.019993 - centuries * 0.000101) * sin(2 * anomaly) +
    0.000289 * sin(3 * anomaly);
  const node = 125.04 - 1934.136 * centuries;
  const nutation = -0.00478 * sin(node) - 0.00037 * sin(2 * meanLongitude);
  const distanceAu = (1.000001018 * (1 - eccentricity ** 2)) / (1 + eccentricity * cos(anomaly + centre));
  const longitude = meanLongitude + centre - 0.00569 + nutation;
  const meanObliquity = 23.4392911 - centuries * (0.0130042 + centuries * (0.00000016 - centuries * 0.000000504));
  const obliquity = meanObliquity + 0.00256 * cos(node);
  return {
    rightAscensionDeg: turn(Math.atan2(cos(obliquity) * sin(longitude), cos(longitude)) / RAD),
    declinationDeg: asin(sin(obliquity) * sin(longitude)),
    distanceAu,
    equinoxesDeg: nutation * cos(obliquity),
  };
}

/** Greenwich sidereal time in degrees, Meeus 12.4. */
function siderealTimeDeg(at: number): number {
  const days = at / DAY_MS + UNIX_EPOCH_JD - J2000_JD;
  const centuries = days / DAYS_PER_CENTURY;
  return 280.46061837 + 360.98564736629 * days + centuries ** 2 * (0.000387933 - centuries / 38_710_000);
}

/** How much the air lifts the sun, at 1010 hPa and 10 °C. Nothing once it has set. */
function refractionDeg(elevationDeg: number): number {
  if (elevationDeg < HORIZON_DEG) return 0;
  return 1.02 / (60 * tan(elevationDeg + 10.3 / (elevationDeg + 5.11)));
}

/** Where the sun stands in the sky of a place; longitude east positive. Differs from NREL's SPA by less than 0.01°. */
export function sunPosition(at: number, latitudeDeg: number, longitudeDeg: number): SunPosition {
  const sun = sunInSpace(at);
  const hourAngle = siderealTimeDeg(at) + sun.equinoxesDeg + longitudeDeg - sun.rightAscensionDeg;
  const elevation = asin(
    sin(latitudeDeg) * sin(sun.declinationDeg) + cos(latitudeDeg) * cos(sun.declinationDeg) * cos(hourAngle),
  );
  const fromSouth =
    Math.atan2(sin(hourAngle), cos(hourAngle) * sin(latitudeDeg) - tan(sun.declinationDeg) * cos(latitudeDeg)) / RAD;
  const parallax = (8.794 / 3600 / sun.distanceAu) * cos(elevation);
  const seenFromSurface = elevation - parallax;
  return {
    elevationDeg: seenFromSurface + refractionDeg(seenFromSurface),
    azimuthDeg: turn(fromSouth + 180),
  };
}

/** Path through the air, 1 at the zenith. The formula holds to the horizon, where it is 38. */
function airMass(elevationDeg: number): number {
  return 1 / (sin(elevationDeg) + 0.50572 * (elevationDeg + 6.07995) ** -1.6364);
}

export interface ClearSky {
  readonly elevationDeg: number;
  /** Air mass times the pressure's share of that at sea level. */
  readonly absoluteAirMass: number;
  readonly altitudeM: number;
  /** On a plane facing the sun above the air, W/m². */
  readonly extraterrestrial: number;
  /** How many clean dry atmospheres this one is worth: 2 clean cold air, 3 clean, 4 to 5 humid, over 5 dusty. */
  readonly linkeTurbidity: number;
}

/** Ineichen and Perez's clear sky. Fitted at places up to 1600 m; further up it is an extrapolation. */
export function clearSky(sky: ClearSky): Irradiance {
  const { elevationDeg, absoluteAirMass, altitudeM, extraterrestrial, linkeTurbidity } = sky;
  if (elevationDeg <= 0) return { ghi: 0, dni: 0, dhi: 0 };
  const height = sin(elevationDeg);
  const lowAir = Math.exp(-altitudeM / 8000);
  const haze = Math.exp(-altitudeM / 1250);
  const scale = 5.09e-5 * altitudeM + 0.868;
  const extinction = 3.92e-5 * altitudeM + 0.0387;
  const transmitted = Math.exp(-extinction * absoluteAirMass * (lowAir + haze * (linkeTurbidity - 1)));
  // Above 2500 m the fitted scale passes one; more than the sun sends cannot come down.
  const ghi = Math.min(scale * transmitted, 1) * extraterrestrial * height;
  const beam = (0.664 + 0.163 / lowAir) * Math.exp(-0.09 * absoluteAirMass * (linkeTurbidity - 1));
  const diffuseShare = (0.1 - 0.2 * Math.exp(-linkeTurbidity)) / (0.1 + 0.882 / lowAir);
  const dni = Math.min(Math.min(beam, 1) * extraterrestrial, (ghi * (1 - diffuseShare)) / height);
  return { ghi, dni, dhi: Math.max(0, ghi - dni * height) };
}

/** Clean air: a fair yearly mean for high and dry country, where the published monthly maps lie between 2 and 4. */
export const LINKE_TURBIDITY = 3;

/** Pressure at a height as a share of that at sea level, ICAO standard atmosphere. */
function pressureShare(altitudeM: number): number {
  return (1 - 2.25577e-5 * altitudeM) ** 5.25588;
}

/** Irradiance under a clear sky, W/m². All zero while the sun is down. A real horizon of mountains is not known here. */
export function clearSkyIrradiance(
  at: number,
  latitudeDeg: number,
  longitudeDeg: number,
  altitudeM: number,
  linkeTurbidity = LINKE_TURBIDITY,
): Irradiance {
  const { elevationDeg } = sunPosition(at, latitudeDeg, longitudeDeg);
  if (elevationDeg <= 0) return { ghi: 0, dni: 0, dhi: 0 };
  return clearSky({
    elevationDeg,
    absoluteAirMass: airMass(elevationDeg) * pressureShare(altitudeM),
    altitudeM,
    extraterrestrial: SOLAR_CONSTANT / sunInSpace(at).distanceAu ** 2,
    linkeTurbidity,
  });
}

/** Share of light that the ground throws back: bare ground. Fresh snow is above 0.7. */
export const GROUND_ALBEDO = 0.2;

/** Irradiance on a tilted plane: beam, even sky, and light from the ground, W/m². Never negative. */
export function planeOfArray(
  irradiance: Irradiance,
  sun: SunPosition,
  plane: { readonly tiltDeg: number; readonly azimuthDeg: number },
  albedo = GROUND_ALBEDO,
): number {
  const { tiltDeg, azimuthDeg } = plane;
  const incidence =
    cos(tiltDeg) * sin(sun.elevationDeg) + sin(tiltDeg) * cos(sun.elevationDeg) * cos(sun.azimuthDeg - azimuthDeg);
  const beam = irradiance.dni * Math.max(0, incidence);
  const sky = (irradiance.dhi * (1 + cos(tiltDeg))) / 2;
  const ground = (irradiance.ghi * albedo * (1 - cos(tiltDeg))) / 2;
  return beam + sky + ground;
}

/**
 * What the array would give under a clear sky, in watts: nominal power times irradiance over 1 kW/m². Without loss by heat,
 * wiring and dirt, so that energy measured against it is a performance ratio. Never negative, zero while the sun is down.
 */
export function clearSkyPower(facts: PvFacts, at: number): number {
  const { latitudeDeg, longitudeDeg, altitudeM } = facts;
  const irradiance = clearSkyIrradiance(at, latitudeDeg, longitudeDeg, altitudeM);
  if (irradiance.ghi <= 0) return 0;
  const sun = sunPosition(at, latitudeDeg, longitudeDeg);
  return (facts.pvCapacityW * planeOfArray(irradiance, sun, facts)) / 1000;
}
