// swift-tools-version: 6.1

import PackageDescription

// `make fuzz` builds this package with the flags of libFuzzer and of the address sanitizer, which then
// apply to every module of MambaTreeL. A bare `swift build` of it cannot link: it has no `main`.
let package = Package(
    name: "Fuzz",
    dependencies: [.package(name: "MambaTreeL", path: "../")],
    targets: [
        // C, because SwiftPM renames the `main` of Swift programs, and libFuzzer brings its own.
        .executableTarget(name: "fuzz", dependencies: ["FuzzTargets"]),
        .target(
            name: "FuzzTargets",
            dependencies: [
                .product(name: "MambaTreeL", package: "MambaTreeL"),
                .product(name: "Kernels", package: "MambaTreeL"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
