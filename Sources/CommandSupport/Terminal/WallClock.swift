import Glibc

/// The time of day.
public enum WallClock {
    /// Seconds since the beginning of 1970.
    public static var secondsSince1970: Double {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) * 1e-9
    }
}
