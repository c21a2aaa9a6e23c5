"""Where the Java is that Spark runs on, and how it gets there: Debian's package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

PACKAGE = "openjdk-17-jre-headless"

CURE = f"The tests need Java for Spark: install it (Debian: apt-get install {PACKAGE}), or set JAVA_HOME."


def is_there() -> bool:
    return shutil.which("java") is not None or "JAVA_HOME" in os.environ


def quick_spark() -> dict[str, str]:
    """Return the environment in which Spark is quick with a few hundred rows, and its workers find this Python."""
    settings = {
        # To compile every query takes longer than to run it on 600 rows.
        "spark.sql.codegen.wholeStage": "false",
        "spark.sql.codegen.factoryMode": "NO_CODEGEN",
        "spark.sql.adaptive.enabled": "false",
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
        "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1",
        "spark.driver.memory": "512m",
        "spark.ui.enabled": "false",
    }
    arguments = " ".join(f"--conf {name}={value}" for name, value in settings.items())
    return {
        "PYSPARK_SUBMIT_ARGS": f"{arguments} pyspark-shell",
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


def main() -> int:
    if not is_there() and shutil.which("apt-get") and os.geteuid() == 0:
        print("Setting up Java for the tests …", flush=True)
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "check": False}
        subprocess.run(["apt-get", "update", "-qq"], **quiet)
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", PACKAGE], **quiet)
    if not is_there():
        print(CURE, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
