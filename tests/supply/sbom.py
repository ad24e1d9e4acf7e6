"""`python -m tests.supply.sbom`: the software bill of materials of what production installs on this
system, as CycloneDX in JSON, on standard output."""

from __future__ import annotations

import sys

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from chat_api import __version__
from tests.supply.locked import Locked, production


def bill_of_materials() -> str:
    """As JSON: each package with its version, licence, the hashes of its files for all systems, and
    who needs it."""
    make_licence = LicenseFactory().make_from_string
    root = Component(
        name="chat_api",
        version=__version__,
        type=ComponentType.APPLICATION,
        bom_ref="chat_api",
        licenses=[make_licence("MIT")],
    )
    packages = production()
    components = {
        package.name: Component(
            name=package.name,
            version=package.version,
            bom_ref=package.name,
            licenses=[make_licence(package.licence)],
            hashes=[HashType(alg=HashAlgorithm.SHA_256, content=it) for it in package.hashes],
            purl=PackageURL("pypi", name=package.name, version=package.version),
        )
        for package in packages
    }
    bill = Bom(components=components.values())
    bill.metadata.component = root
    bill.register_dependency(root, [components[it.name] for it in packages if _is_direct(it)])
    for name, component in components.items():
        needed = [components[it.name] for it in packages if name in it.wanted_by]
        bill.register_dependency(component, needed)
    return JsonV1Dot6(bill).output_as_string(indent=2)


def _is_direct(package: Locked) -> bool:
    return any(name.endswith(".in") for name in package.wanted_by)


if __name__ == "__main__":
    sys.stdout.write(f"{bill_of_materials()}\n")
