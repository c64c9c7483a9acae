/** Version of the wire between post and server. It stands in every topic, so that two versions can live on one broker. */
export const WIRE_VERSION = 1;
