# A model behind HTTP, without torch and without a compiler.
#
#     docker build -t elman .
#     docker run -p 8000:8000 -v ./models/book:/models/book:ro elman /models/book
#
# The first two stages build the page and the wheel; the last one holds Python and the wheel alone.

FROM node:22-slim AS page
WORKDIR /source/web
COPY web/package.json web/package-lock.json ./
RUN npm ci
COPY web ./
RUN npm run build

FROM python:3.13-slim AS wheel
WORKDIR /source
RUN pip install --no-cache-dir build hatchling
COPY pyproject.toml README.md CHANGELOG.md ARCHITECTURE.md LICENSE ./
COPY web/public/NOTICES.txt ./web/public/
COPY src ./src
COPY --from=page /source/src/elman/page ./src/elman/page
RUN python -m build --wheel --no-isolation --outdir /wheels

FROM python:3.13-slim
COPY constraints.txt /tmp/constraints.txt
COPY --from=wheel /wheels /tmp/wheels
RUN pip install --no-cache-dir -c /tmp/constraints.txt "$(echo /tmp/wheels/elman-*.whl)[serve]" \
    && rm -r /tmp/wheels /tmp/constraints.txt \
    && useradd --create-home elman
USER elman
EXPOSE 8000
ENTRYPOINT ["elman", "serve", "--host", "0.0.0.0"]
CMD ["--help"]
